using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>
/// The part of the AVX2 tier for products with few rows: panels are streamed, or read in their decoded form.
/// </summary>
internal sealed unsafe class PlainTier : X64Tier
{
    private const int GroupStride = TileChannels * 4;

    /// <inheritdoc/>
    public override string Name => TierNames.Avx2;

    /// <inheritdoc/>
    public override RowFormat Rows => RowFormat.Bytes;

    /// <inheritdoc/>
    public override int TileRows => DotProduct.TileRows;

    /// <inheritdoc/>
    public override void Dot(
        byte* rows, nint rowStride, int rowCount, sbyte* panel, int groups, int firstChannel, int endChannel, int* tile)
    {
        for (int row = 0; row < rowCount; row++)
            OneRow(rows + row * rowStride, panel, groups, tile + row * TileChannels);
    }

    /// <summary>One row by the panel's 32 channels with products of 16 bits, for any weights.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    private static void OneRow(byte* row, sbyte* panel, int groups, int* accumulators)
    {
        // In bounds: a group reads 4 activations and its 128 weights, `groups` times.
        Vector256<int> s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default, s6 = default, s7 = default;
        for (int group = 0; group < groups; group++, row += 4, panel += GroupStride)
        {
            Vector256<short> x = X86Avx2.ConvertToVector256Int16(X86Avx2.BroadcastScalarToVector128((int*)row).AsByte());
            s0 += X86Avx2.MultiplyAddAdjacent(x, X86Avx2.ConvertToVector256Int16(panel));
            s1 += X86Avx2.MultiplyAddAdjacent(x, X86Avx2.ConvertToVector256Int16(panel + 16));
            s2 += X86Avx2.MultiplyAddAdjacent(x, X86Avx2.ConvertToVector256Int16(panel + 32));
            s3 += X86Avx2.MultiplyAddAdjacent(x, X86Avx2.ConvertToVector256Int16(panel + 48));
            s4 += X86Avx2.MultiplyAddAdjacent(x, X86Avx2.ConvertToVector256Int16(panel + 64));
            s5 += X86Avx2.MultiplyAddAdjacent(x, X86Avx2.ConvertToVector256Int16(panel + 80));
            s6 += X86Avx2.MultiplyAddAdjacent(x, X86Avx2.ConvertToVector256Int16(panel + 96));
            s7 += X86Avx2.MultiplyAddAdjacent(x, X86Avx2.ConvertToVector256Int16(panel + 112));
        }

        JoinPairs(s0, s1).Store(accumulators);
        JoinPairs(s2, s3).Store(accumulators + 8);
        JoinPairs(s4, s5).Store(accumulators + 16);
        JoinPairs(s6, s7).Store(accumulators + 24);
    }

    // The horizontal add works within 128-bit halves: channels come out as 0 1 4 5 | 2 3 6 7.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> JoinPairs(Vector256<int> first, Vector256<int> second) =>
        X86Avx2.Permute4x64(X86Avx2.HorizontalAdd(first, second).AsInt64(), 0b11_01_10_00).AsInt32();
}
