namespace NestQuant.RuntimeOps.Kernels.Tiers;

/// <summary>The format of the rows of activations that a tier multiplies with a panel.</summary>
/// <remarks>
/// A row is one output position's activations in the order of k. Centered rows hold x - zero point, and their products with the weights add
/// up to the result; rows of bytes hold x itself, and the epilogue subtracts zero point * sum of the weights.
/// </remarks>
internal abstract unsafe class RowFormat
{
    /// <summary>x itself, one byte each: for tiers that multiply unsigned by signed bytes.</summary>
    public static RowFormat Bytes { get; } = new ByteRows();

    /// <summary>Bytes of one value.</summary>
    public abstract int ValueBytes { get; }

    /// <summary>Whether the zero point has been subtracted from the values.</summary>
    public abstract bool IsCentered { get; }

    /// <summary>Bytes of a row: its values, and what the format adds to them.</summary>
    /// <param name="values">Values of the row, a multiple of 4.</param>
    public virtual int RowBytes(int values) => values * ValueBytes;

    /// <summary>Where a row's activations are gathered, to be converted in place: so that they end where the values end.</summary>
    /// <param name="row">The row.</param>
    /// <param name="values">Values of the row.</param>
    public byte* Gathered(byte* row, int values) => row + values * (ValueBytes - 1);

    /// <summary>Converts a row.</summary>
    /// <param name="x">Its activations, one byte each: apart from the row, or <see cref="Gathered"/> in it.</param>
    /// <param name="values">How many, a multiple of 4.</param>
    /// <param name="zeroPoint">Their zero point, 0 to 255.</param>
    /// <param name="row">Receives <see cref="RowBytes"/> bytes.</param>
    public abstract void Convert(byte* x, int values, int zeroPoint, byte* row);

    private sealed class ByteRows : RowFormat
    {
        public override int ValueBytes => sizeof(byte);

        public override bool IsCentered => false;

        public override void Convert(byte* x, int values, int zeroPoint, byte* row)
        {
            if (x != row)
                ByteRuns.Copy(x, values, row);
        }
    }
}
