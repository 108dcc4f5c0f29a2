using System.Runtime.Intrinsics;

namespace NestQuant.RuntimeOps.Kernels.Tiers;

/// <summary>Copies, conversions and sums of neighbouring activations.</summary>
internal static unsafe class ByteRuns
{
    private const int LongestInlineCopy = 256;

    /// <summary>Copies bytes between two places that do not overlap.</summary>
    public static void Copy(byte* x, int count, byte* target)
    {
        // In bounds: the last vector or word ends at count, and may overlap the one before it. For runs of a few taps of few channels,
        // a call would cost more than the copy.
        if (count > LongestInlineCopy)
        {
            Buffer.MemoryCopy(x, target, count, count);
        }
        else if (count >= Vector128<byte>.Count)
        {
            int last = count - Vector128<byte>.Count;
            for (int i = 0; i < last; i += Vector128<byte>.Count)
                Vector128.Load(x + i).Store(target + i);
            Vector128.Load(x + last).Store(target + last);
        }
        else if (count >= sizeof(ulong))
        {
            ulong end = *(ulong*)(x + count - sizeof(ulong));
            *(ulong*)target = *(ulong*)x;
            *(ulong*)(target + count - sizeof(ulong)) = end;
        }
        else
        {
            for (int i = 0; i < count; i++)
                target[i] = x[i];
        }
    }

    /// <summary>Subtracts 128 from unsigned bytes, so that they are signed ones.</summary>
    public static void ToSigned(byte* x, int count, sbyte* target)
    {
        // In bounds: whole vectors end at or before count.
        int k = 0;
        for (; k <= count - Vector256<byte>.Count; k += Vector256<byte>.Count)
            (Vector256.Load(x + k) ^ Vector256.Create((byte)128)).AsSByte().Store(target + k);
        for (; k < count; k++)
            target[k] = (sbyte)(x[k] - 128);
    }

    /// <summary>The sum of unsigned bytes.</summary>
    public static long Sum(byte* x, int count)
    {
        // In bounds: whole vectors end at or before count. 16-bit lanes hold the sums of 128 vectors: 2 * 128 * 255 < 65,536.
        const int vectorsPerSum = 128;
        long sum = 0;
        int k = 0;
        while (k <= count - Vector256<byte>.Count)
        {
            Vector256<ushort> sums = default;
            for (int i = 0; i < vectorsPerSum && k <= count - Vector256<byte>.Count; i++, k += Vector256<byte>.Count)
            {
                (Vector256<ushort> low, Vector256<ushort> high) = Vector256.Widen(Vector256.Load(x + k));
                sums += low + high;
            }

            (Vector256<uint> first, Vector256<uint> second) = Vector256.Widen(sums);
            sum += Vector256.Sum(first + second);
        }

        for (; k < count; k++)
            sum += x[k];
        return sum;
    }
}
