using System.Runtime.Intrinsics;

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

    /// <summary>Converts neighbouring activations to the format.</summary>
    /// <param name="x">count activations, 0 to 255.</param>
    /// <param name="count">How many.</param>
    /// <param name="zeroPoint">Their zero point, 0 to 255.</param>
    /// <param name="row">Receives count values.</param>
    public abstract void Copy(byte* x, int count, int zeroPoint, byte* row);

    /// <summary>Writes values that represent real 0.</summary>
    public abstract void Pad(byte* row, int count, int zeroPoint);

    /// <summary>The sum of x - zero point over a row.</summary>
    public abstract long CenteredSum(byte* row, int count, int zeroPoint);

    private sealed class ByteRows : RowFormat
    {
        private const int LongestInlineCopy = 256;

        public override int ValueBytes => sizeof(byte);

        public override bool IsCentered => false;

        public override void Copy(byte* x, int count, int zeroPoint, byte* row)
        {
            // In bounds: the last vector or word ends at count, and may overlap the one before it. For runs of a few taps of few channels,
            // a call would cost more than the copy.
            if (count > LongestInlineCopy)
            {
                Buffer.MemoryCopy(x, row, count, count);
            }
            else if (count >= Vector128<byte>.Count)
            {
                int last = count - Vector128<byte>.Count;
                for (int i = 0; i < last; i += Vector128<byte>.Count)
                    Vector128.Load(x + i).Store(row + i);
                Vector128.Load(x + last).Store(row + last);
            }
            else if (count >= sizeof(ulong))
            {
                ulong end = *(ulong*)(x + count - sizeof(ulong));
                *(ulong*)row = *(ulong*)x;
                *(ulong*)(row + count - sizeof(ulong)) = end;
            }
            else
            {
                for (int i = 0; i < count; i++)
                    row[i] = x[i];
            }
        }

        public override void Pad(byte* row, int count, int zeroPoint) => new Span<byte>(row, count).Fill((byte)zeroPoint);

        public override long CenteredSum(byte* row, int count, int zeroPoint)
        {
            // In bounds: whole vectors end at or before count. 16-bit lanes hold the sums of 128 vectors: 2 * 128 * 255 < 65,536.
            const int vectorsPerSum = 128;
            long sum = -(long)zeroPoint * count;
            int k = 0;
            while (k <= count - Vector256<byte>.Count)
            {
                Vector256<ushort> sums = default;
                for (int i = 0; i < vectorsPerSum && k <= count - Vector256<byte>.Count; i++, k += Vector256<byte>.Count)
                {
                    (Vector256<ushort> low, Vector256<ushort> high) = Vector256.Widen(Vector256.Load(row + k));
                    sums += low + high;
                }

                (Vector256<uint> first, Vector256<uint> second) = Vector256.Widen(sums);
                sum += Vector256.Sum(first + second);
            }

            for (; k < count; k++)
                sum += row[k];
            return sum;
        }
    }
}
