using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using NestQuant.RuntimeOps.Kernels.Floats;
using NestQuant.RuntimeOps.Kernels.GroupNL.Functions;
using NestQuant.RuntimeOps.Packing;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>Base of the x64 tiers: AVX2 and FMA code for everything but the product.</summary>
internal abstract unsafe class X64Tier : KernelTier
{
    /// <summary>Whether this process can run the shared code.</summary>
    public static bool IsSupported => X86Avx2.IsSupported && Fma.IsSupported;

    /// <inheritdoc/>
    public override FloatKernel Floats => FloatKernelOf<Vectors256, Vector256<float>>.Instance;

    /// <inheritdoc/>
    public override void DecodeBlocks(in LevelOperands operands, int blocks, sbyte* values)
    {
        if (operands.IsPair)
            BlockDecoder.Decode(operands, blocks, values);
        else
            JoinedDecoder.Decode(operands, blocks, values);
    }

    /// <inheritdoc/>
    public override int StreamedZeroPoint => StreamedRows.ZeroPoint;

    /// <inheritdoc/>
    public override bool TryMultiplyBlocks(
        in LevelOperands operands, int blocks, byte* rows, nint rowStride, int rowCount, int* accumulators, int* weightSums)
    {
        StreamedRows.Multiply(operands, blocks, rows, rowStride, rowCount, accumulators);
        if (weightSums != null)
            StreamedRows.Sum(operands, blocks, weightSums);
        return true;
    }

    /// <inheritdoc/>
    public override void SumWeights(sbyte* panel, int groups, int* sums) => WeightSums.Sum(panel, groups, sums);

    /// <inheritdoc/>
    public sealed override void DotDepthwise(
        byte** taps, nint step, int columns, int pairs, short* weights, int channels, int* accumulators) =>
        Depthwise.Dot(taps, step, columns, pairs, weights, channels, accumulators);

    /// <inheritdoc/>
    public sealed override void Store(
        int* tile, int rows, int firstChannel, int endChannel, in PanelEpilogue epilogue, long* rowSums, byte* y, long yStride) =>
        TileEpilogue.Store(tile, rows, firstChannel, endChannel, epilogue, rowSums, y, yStride);

    /// <inheritdoc/>
    public sealed override void ExpandPlanes(ExpansionData data, float* x, float* y, long planeStride, int pixels) =>
        PlaneExpansion<Lanes256, Vector256<float>>.Run(data, x, y, planeStride, pixels);

    /// <inheritdoc/>
    public sealed override void ExpandRows(ExpansionData data, float* x, long xStride, float* y, int rows) =>
        RowExpansion<Lanes256, Vector256<float>>.Run(data, x, xStride, y, rows);
}
