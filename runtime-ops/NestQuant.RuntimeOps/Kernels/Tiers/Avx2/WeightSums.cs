using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>Sums of a panel's weights, which rows of bytes need in their epilogue.</summary>
internal static unsafe class WeightSums
{
    /// <summary>See <see cref="KernelTier.SumWeights"/>.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    public static void Sum(sbyte* panel, int groups, int* sums)
    {
        // In bounds: a group is 128 weights, `groups` times. Exact: a pair of weights stays within 16 bits.
        Vector256<byte> ones = Vector256<byte>.One;
        Vector256<int> s0 = default, s1 = default, s2 = default, s3 = default;
        for (int group = 0; group < groups; group++, panel += KernelTier.TileChannels * 4)
        {
            s0 += Fours(ones, panel);
            s1 += Fours(ones, panel + 32);
            s2 += Fours(ones, panel + 64);
            s3 += Fours(ones, panel + 96);
        }

        s0.Store(sums);
        s1.Store(sums + 8);
        s2.Store(sums + 16);
        s3.Store(sums + 24);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Fours(Vector256<byte> ones, sbyte* weights) =>
        X86Avx2.MultiplyAddAdjacent(X86Avx2.MultiplyAddAdjacent(ones, Vector256.Load(weights)), Vector256<short>.One);
}
