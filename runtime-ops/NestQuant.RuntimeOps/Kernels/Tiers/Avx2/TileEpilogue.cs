using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>The epilogue of a tile of accumulators, eight channels at a time; any tier with accumulators in memory may use it.</summary>
internal static unsafe class TileEpilogue
{
    private const int Step = 8;

    /// <summary>See <see cref="KernelTier.Store"/>.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    public static void Store(
        int* tile, int rows, int firstChannel, int endChannel, in PanelEpilogue epilogue, long* rowSums, byte* y, long yStride)
    {
        // In bounds: each step covers 8 channels up to endChannel <= 32, in the tile, in the factors and in the output's row.
        fixed (PanelEpilogue* factors = &epilogue)
        {
            if (factors->IsQuantized && endChannel - firstChannel == KernelTier.TileChannels)
            {
                QuantizePanel(tile, rows, factors, rowSums, y, yStride);
                return;
            }

            for (int row = 0; row < rows; row++, tile += KernelTier.TileChannels, y += yStride)
            {
                long rowSum = factors->HasZeroPoint ? rowSums[row] : 0;
                int channel = firstChannel;
                for (; channel <= endChannel - Step; channel += Step)
                {
                    Vector256<float> result = Results(tile, factors, (int)rowSum, channel);
                    if (factors->IsQuantized)
                        *(long*)(y + channel) = Quantize(result, factors);
                    else
                        result.Store((float*)y + channel);
                }

                for (; channel < endChannel; channel++)
                    factors->Write(tile[channel] - (long)factors->RowCentering[channel], rowSum, channel, y);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Results(int* accumulators, PanelEpilogue* factors, int rowSum, int channel)
    {
        Vector256<int> sum = Vector256.Load(accumulators + channel) - Vector256.Load(factors->RowCentering + channel);
        if (factors->HasZeroPoint)
            sum -= X86Avx2.MultiplyLow(Vector256.Load(factors->ZeroPoint + channel), Vector256.Create(rowSum));
        Vector256<float> product = Avx.Multiply(Avx.ConvertToVector256Single(sum), Vector256.Load(factors->Scale + channel));
        return Avx.Add(product, Vector256.Load(factors->Bias + channel));
    }

    /// <summary>
    /// All 32 channels. Only the upper bound is needed before the conversion, which returns the least integer for values below its range:
    /// saturation while packing and the maximum at the end apply the lower bound. The conversion rounds half to even.
    /// </summary>
    [MethodImpl(MethodCompilation.Loops)]
    private static void QuantizePanel(int* tile, int rows, PanelEpilogue* factors, long* rowSums, byte* y, long yStride)
    {
        Vector256<float> greatest = Vector256.Create(factors->Greatest);
        Vector256<short> zeroPoint = Vector256.Create((short)factors->OutputZeroPoint);
        Vector256<byte> least = Vector256.Create((byte)(factors->Least + factors->OutputZeroPoint));

        // Packing works within 128-bit halves: fours of channels come out as 0 2 4 6 | 1 3 5 7.
        Vector256<int> order = Vector256.Create(0, 4, 1, 5, 2, 6, 3, 7);
        for (int row = 0; row < rows; row++, tile += KernelTier.TileChannels, y += yStride)
        {
            int rowSum = factors->HasZeroPoint ? (int)rowSums[row] : 0;
            Vector256<int> q0 = Avx.ConvertToVector256Int32(Avx.Min(Results(tile, factors, rowSum, 0), greatest));
            Vector256<int> q1 = Avx.ConvertToVector256Int32(Avx.Min(Results(tile, factors, rowSum, 8), greatest));
            Vector256<int> q2 = Avx.ConvertToVector256Int32(Avx.Min(Results(tile, factors, rowSum, 16), greatest));
            Vector256<int> q3 = Avx.ConvertToVector256Int32(Avx.Min(Results(tile, factors, rowSum, 24), greatest));
            Vector256<short> w0 = X86Avx2.AddSaturate(X86Avx2.PackSignedSaturate(q0, q1), zeroPoint);
            Vector256<short> w1 = X86Avx2.AddSaturate(X86Avx2.PackSignedSaturate(q2, q3), zeroPoint);
            Vector256<int> packed = X86Avx2.PackUnsignedSaturate(w0, w1).AsInt32();
            X86Avx2.Max(X86Avx2.PermuteVar8x32(packed, order).AsByte(), least).Store(y);
        }
    }

    /// <summary>Eight bytes; the conversion rounds half to even.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Quantize(Vector256<float> result, PanelEpilogue* factors)
    {
        Vector256<float> clamped = Avx.Min(Avx.Max(result, Vector256.Create(factors->Least)), Vector256.Create(factors->Greatest));
        Vector256<int> quantized = Avx.ConvertToVector256Int32(clamped) + Vector256.Create(factors->OutputZeroPoint);
        Vector128<short> words = Sse2.PackSignedSaturate(quantized.GetLower(), quantized.GetUpper());
        return Sse2.PackUnsignedSaturate(words, words).AsInt64().ToScalar();
    }
}
