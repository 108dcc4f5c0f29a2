namespace NestQuant.RuntimeOps.Kernels.Tiers;

/// <summary>x - zero point as 16-bit integers, [-255, 255].</summary>
internal sealed unsafe class CenteredRows : RowFormat
{
    /// <inheritdoc/>
    public override int ValueBytes => sizeof(short);

    /// <inheritdoc/>
    public override bool IsCentered => true;

    /// <inheritdoc/>
    public override void Copy(byte* x, int count, int zeroPoint, byte* row)
    {
        short* centered = (short*)row;
        for (int i = 0; i < count; i++)
            centered[i] = (short)(x[i] - zeroPoint);
    }

    /// <inheritdoc/>
    public override void Pad(byte* row, int count, int zeroPoint) => new Span<short>(row, count).Clear();

    /// <inheritdoc/>
    public override long CenteredSum(byte* row, int count, int zeroPoint)
    {
        short* centered = (short*)row;
        long sum = 0;
        for (int k = 0; k < count; k++)
            sum += centered[k];
        return sum;
    }
}
