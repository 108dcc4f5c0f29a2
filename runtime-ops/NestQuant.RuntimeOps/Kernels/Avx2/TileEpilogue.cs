using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Avx2;

/// <summary>The epilogue of a tile of sums, eight channels at a time; any tier whose sums lie in memory may use it.</summary>
internal static unsafe class TileEpilogue
{
    private const int Step = 8;

    /// <summary>See <see cref="KernelTier.Store"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Store(
        int* tile, int rows, int firstChannel, int endChannel, in PanelEpilogue epilogue, long* rowSums, byte* y, long yStride)
    {
        // In bounds: each step covers 8 channels up to endChannel <= 32, in the tile, in the factors and in the output's row.
        fixed (PanelEpilogue* factors = &epilogue)
        {
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
    private static Vector256<float> Results(int* sums, PanelEpilogue* factors, int rowSum, int channel)
    {
        Vector256<int> sum = Vector256.Load(sums + channel) - Vector256.Load(factors->RowCentering + channel);
        if (factors->HasZeroPoint)
            sum -= X86Avx2.MultiplyLow(Vector256.Load(factors->ZeroPoint + channel), Vector256.Create(rowSum));
        Vector256<float> product = Avx.Multiply(Avx.ConvertToVector256Single(sum), Vector256.Load(factors->Scale + channel));
        return Avx.Add(product, Vector256.Load(factors->Bias + channel));
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
