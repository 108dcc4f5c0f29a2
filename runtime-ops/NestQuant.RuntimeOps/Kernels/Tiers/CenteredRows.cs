namespace NestQuant.RuntimeOps.Kernels.Tiers;

/// <summary>x - zero point as 16-bit integers, [-255, 255].</summary>
internal sealed unsafe class CenteredRows : RowFormat
{
    /// <inheritdoc/>
    public override int ValueBytes => sizeof(short);

    /// <inheritdoc/>
    public override bool IsCentered => true;

    /// <inheritdoc/>
    public override void Convert(byte* x, int values, int zeroPoint, byte* row)
    {
        // In place, value i is written over activations that have been read: it ends at 2 i + 2, and activation i + 1 is at values + i + 1.
        short* centered = (short*)row;
        for (int i = 0; i < values; i++)
            centered[i] = (short)(x[i] - zeroPoint);
    }
}
