using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Arm64;

/// <summary>The epilogue of a tile of accumulators, in vectors of four channels.</summary>
internal static unsafe class TileEpilogue
{
    private const int Step = 4;

    /// <summary>See <see cref="KernelTier.Store"/>.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    public static void Store(
        int* tile, int rows, int firstChannel, int endChannel, in PanelEpilogue epilogue, long* rowSums, byte* y, long yStride)
    {
        // In bounds: each step covers 4 or 16 channels up to endChannel <= 32, in the tile, in the factors and in the output's row.
        fixed (PanelEpilogue* factors = &epilogue)
        {
            for (int row = 0; row < rows; row++, tile += KernelTier.TileChannels, y += yStride)
            {
                long rowSum = factors->HasZeroPoint ? rowSums[row] : 0;
                int channel = firstChannel;
                for (; channel <= endChannel - 4 * Step && factors->IsQuantized; channel += 4 * Step)
                    QuantizeSixteen(tile, factors, (int)rowSum, channel).Store(y + channel);
                for (; channel <= endChannel - Step; channel += Step)
                {
                    if (factors->IsQuantized)
                        *(uint*)(y + channel) = QuantizeFour(tile, factors, (int)rowSum, channel);
                    else
                        Results(tile, factors, (int)rowSum, channel).Store((float*)y + channel);
                }

                for (; channel < endChannel; channel++)
                    factors->Write(tile[channel] - (long)factors->RowCentering[channel], rowSum, channel, y);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Results(int* accumulators, PanelEpilogue* factors, int rowSum, int channel)
    {
        Vector128<int> sum = Vector128.Load(accumulators + channel) - Vector128.Load(factors->RowCentering + channel);
        if (factors->HasZeroPoint)
            sum -= Vector128.Load(factors->ZeroPoint + channel) * rowSum;

        // Two Vector128 operations are never fused into one that rounds once.
        Vector128<float> product = Vector128.ConvertToSingle(sum) * Vector128.Load(factors->Scale + channel);
        return product + Vector128.Load(factors->Bias + channel);
    }

    /// <summary>Four results as integers from 0 to 255.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Quantize(int* accumulators, PanelEpilogue* factors, int rowSum, int channel)
    {
        Vector128<float> bounded = Vector128.Max(Results(accumulators, factors, rowSum, channel), Vector128.Create(factors->Least));
        Vector128<float> rounded = Vector128.Round(Vector128.Min(bounded, Vector128.Create(factors->Greatest)));
        return Vector128.ConvertToInt32(rounded) + Vector128.Create(factors->OutputZeroPoint);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint QuantizeFour(int* accumulators, PanelEpilogue* factors, int rowSum, int channel)
    {
        Vector128<short> words = Vector128.Narrow(Quantize(accumulators, factors, rowSum, channel), Vector128<int>.Zero);
        return Vector128.Narrow(words.AsUInt16(), Vector128<ushort>.Zero).AsUInt32().ToScalar();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> QuantizeSixteen(int* accumulators, PanelEpilogue* factors, int rowSum, int channel)
    {
        Vector128<int> q0 = Quantize(accumulators, factors, rowSum, channel);
        Vector128<int> q1 = Quantize(accumulators, factors, rowSum, channel + Step);
        Vector128<int> q2 = Quantize(accumulators, factors, rowSum, channel + 2 * Step);
        Vector128<int> q3 = Quantize(accumulators, factors, rowSum, channel + 3 * Step);
        return Vector128.Narrow(Vector128.Narrow(q0, q1).AsUInt16(), Vector128.Narrow(q2, q3).AsUInt16());
    }
}
