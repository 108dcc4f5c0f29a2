using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using NestQuant.RuntimeOps.Kernels.GroupNL;
using NestQuant.RuntimeOps.Packing;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Avx2;

/// <summary>256-bit kernels for processors with AVX2 and FMA.</summary>
/// <remarks>
/// Products are summed by vpmaddwd on 16-bit values, never by vpmaddubsw, whose 16-bit pair sums saturate (255 * 127 * 2 exceeds
/// 32,767) and would make results depend on the data.
/// </remarks>
internal sealed unsafe class Avx2Tier : KernelTier
{
    /// <summary>Whether this process can run the tier.</summary>
    public static bool IsSupported => X86Avx2.IsSupported && Fma.IsSupported;

    /// <inheritdoc/>
    public override string Name => "avx2";

    /// <inheritdoc/>
    public override void DecodeBlocks(byte* high, byte* low, int blocks, NestedBits bits, sbyte* values) =>
        BlockDecoder.Decode(high, low, blocks, bits, values);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Center(byte* x, int count, int zeroPoint, short* centered)
    {
        // In bounds: whole vectors end at or before count, in both arrays.
        Vector256<short> zero = Vector256.Create((short)zeroPoint);
        int i = 0;
        for (; i <= count - Vector256<short>.Count; i += Vector256<short>.Count)
            (X86Avx2.ConvertToVector256Int16(x + i) - zero).Store(centered + i);
        if (i <= count - Vector128<short>.Count)
        {
            (Sse41.ConvertToVector128Int16(x + i) - zero.GetLower()).Store(centered + i);
            i += Vector128<short>.Count;
        }

        for (; i < count; i++)
            centered[i] = (short)(x[i] - zeroPoint);
    }

    /// <inheritdoc/>
    public override void Dot(short* rows, nint rowStride, int rowCount, sbyte* panel, int groups, int firstChannel, int endChannel, int* tile)
    {
        // One or two rows cost less one by one than as a tile of six.
        if (rowCount <= 2)
        {
            for (int row = 0; row < rowCount; row++)
                DotProduct.OneRow(rows + row * rowStride, panel, groups, tile + row * TileChannels);
            return;
        }

        int firstStrip = firstChannel / DotProduct.StripChannels * DotProduct.StripChannels;
        for (int channel = firstStrip; channel < endChannel; channel += DotProduct.StripChannels)
            DotProduct.SixRows(rows, rowStride, panel + channel * 4, groups, tile + channel);
    }

    /// <inheritdoc/>
    public override void DotDepthwise(byte** taps, int pairs, short* weights, int zeroPoint, int channels, int* sums) =>
        Depthwise.Dot(taps, pairs, weights, zeroPoint, channels, sums);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Store(
        int* tile, int rows, int firstChannel, int endChannel, in PanelEpilogue epilogue, long* rowSums, float* y, long yStride)
    {
        // In bounds: each step covers 8 channels up to endChannel <= 32, in the tile, in the factors and in the output's row.
        fixed (PanelEpilogue* factors = &epilogue)
        {
            for (int row = 0; row < rows; row++)
            {
                long rowSum = factors->HasZeroPoint ? rowSums[row] : 0;
                Vector256<int> rowSums32 = Vector256.Create((int)rowSum);
                int* sums = tile + row * TileChannels;
                float* target = y + row * yStride;
                int channel = firstChannel;
                for (; channel <= endChannel - 8; channel += 8)
                {
                    Vector256<int> sum = Vector256.Load(sums + channel);
                    if (factors->HasZeroPoint)
                        sum -= X86Avx2.MultiplyLow(Vector256.Load(factors->ZeroPoint + channel), rowSums32);
                    Vector256<float> product = Avx.Multiply(Avx.ConvertToVector256Single(sum), Vector256.Load(factors->Scale + channel));
                    Avx.Add(product, Vector256.Load(factors->Bias + channel)).Store(target + channel);
                }

                for (; channel < endChannel; channel++)
                    target[channel] = factors->Apply(sums[channel], rowSum, channel);
            }
        }
    }

    /// <inheritdoc/>
    public override void ExpandPlanes(ExpansionData data, float* x, float* y, long planeStride, int pixels) =>
        PlaneExpansion<Lanes256, Vector256<float>>.Run(data, x, y, planeStride, pixels);

    /// <inheritdoc/>
    public override void ExpandRows(ExpansionData data, float* x, long xStride, float* y, int rows) =>
        RowExpansion<Lanes256, Vector256<float>>.Run(data, x, xStride, y, rows);
}
