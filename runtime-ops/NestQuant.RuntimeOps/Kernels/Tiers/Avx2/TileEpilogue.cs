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
    public static void Store(
        int* tile, int rows, int firstChannel, int endChannel, in PanelEpilogue epilogue, long* rowSums, byte* y, long yStride)
    {
        fixed (PanelEpilogue* factors = &epilogue)
        {
            if (factors->IsQuantized && !factors->HasZeroPoint && endChannel - firstChannel == KernelTier.TileChannels)
                QuantizePanel(tile, rows, factors, y, yStride);
            else
                StoreChannels(tile, rows, firstChannel, endChannel, factors, rowSums, y, yStride);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void StoreChannels(
        int* tile, int rows, int firstChannel, int endChannel, PanelEpilogue* factors, long* rowSums, byte* y, long yStride)
    {
        // In bounds: each step covers 8 channels up to endChannel <= 32, in the tile, in the factors and in the output's row.
        for (int row = 0; row < rows; row++, tile += KernelTier.TileChannels, y += yStride)
        {
            long rowSum = factors->HasZeroPoint ? rowSums[row] : 0;
            int channel = firstChannel;
            for (; channel <= endChannel - Step; channel += Step)
            {
                Vector256<int> sum = Vector256.Load(tile + channel) - Vector256.Load(factors->RowCentering + channel);
                if (factors->HasZeroPoint)
                    sum -= X86Avx2.MultiplyLow(Vector256.Load(factors->ZeroPoint + channel), Vector256.Create((int)rowSum));
                Vector256<float> result = Scale(sum, factors, channel);
                if (factors->IsQuantized)
                    *(long*)(y + channel) = Quantize(result, factors);
                else
                    result.Store((float*)y + channel);
            }

            for (; channel < endChannel; channel++)
                factors->Write(tile[channel] - (long)factors->RowCentering[channel], rowSum, channel, y);
        }
    }

    /// <summary>
    /// All 32 channels of weights without zero points. Only the upper bound is needed before the conversion, which returns the least
    /// integer for values below its range: saturation while packing and the maximum at the end apply the lower bound. The conversion
    /// rounds half to even.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void QuantizePanel(int* tile, int rows, PanelEpilogue* factors, byte* y, long yStride)
    {
        // In bounds: 32 channels of the tile, of the factors and of the output's row.
        Vector256<float> greatest = Vector256.Create(factors->Greatest);
        Vector256<short> zeroPoint = Vector256.Create((short)factors->OutputZeroPoint);
        Vector256<byte> least = Vector256.Create((byte)((int)factors->Least + factors->OutputZeroPoint));

        // Packing works within 128-bit halves: fours of channels come out as 0 2 4 6 | 1 3 5 7.
        Vector256<int> order = Vector256.Create(0, 4, 1, 5, 2, 6, 3, 7);
        for (; rows > 0; rows--, tile += KernelTier.TileChannels, y += yStride)
        {
            Vector256<short> w0 = X86Avx2.PackSignedSaturate(Round(tile, factors, 0, greatest), Round(tile, factors, 8, greatest));
            Vector256<short> w1 = X86Avx2.PackSignedSaturate(Round(tile, factors, 16, greatest), Round(tile, factors, 24, greatest));
            w0 = X86Avx2.AddSaturate(w0, zeroPoint);
            w1 = X86Avx2.AddSaturate(w1, zeroPoint);
            Vector256<byte> packed = X86Avx2.PermuteVar8x32(X86Avx2.PackUnsignedSaturate(w0, w1).AsInt32(), order).AsByte();
            X86Avx2.Max(packed, least).Store(y);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Round(int* tile, PanelEpilogue* factors, int channel, Vector256<float> greatest)
    {
        Vector256<int> sum = Vector256.Load(tile + channel) - Vector256.Load(factors->RowCentering + channel);
        return Avx.ConvertToVector256Int32(Avx.Min(Scale(sum, factors, channel), greatest));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Scale(Vector256<int> sum, PanelEpilogue* factors, int channel)
    {
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
