using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NestQuant.RuntimeOps.Kernels.Arm64;

/// <summary>Sums of a panel's weights: products with ones.</summary>
/// <typeparam name="TNeon">The processor's instructions.</typeparam>
internal static unsafe class WeightSums<TNeon>
    where TNeon : struct, INeon
{
    private const int Vector = 16;

    /// <summary>See <see cref="KernelTier.SumWeights"/>; the sums may lie behind the panel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Sum(sbyte* panel, int groups, int* sums)
    {
        // In bounds: a group is 128 weights, `groups` times.
        Vector128<sbyte> ones = Vector128<sbyte>.One;
        Vector128<int> s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default, s6 = default, s7 = default;
        for (int group = 0; group < groups; group++, panel += KernelTier.TileChannels * 4)
        {
            s0 = TNeon.Dot(s0, Vector128.Load(panel), ones, 0);
            s1 = TNeon.Dot(s1, Vector128.Load(panel + Vector), ones, 0);
            s2 = TNeon.Dot(s2, Vector128.Load(panel + 2 * Vector), ones, 0);
            s3 = TNeon.Dot(s3, Vector128.Load(panel + 3 * Vector), ones, 0);
            s4 = TNeon.Dot(s4, Vector128.Load(panel + 4 * Vector), ones, 0);
            s5 = TNeon.Dot(s5, Vector128.Load(panel + 5 * Vector), ones, 0);
            s6 = TNeon.Dot(s6, Vector128.Load(panel + 6 * Vector), ones, 0);
            s7 = TNeon.Dot(s7, Vector128.Load(panel + 7 * Vector), ones, 0);
        }

        s0.Store(sums);
        s1.Store(sums + 4);
        s2.Store(sums + 8);
        s3.Store(sums + 12);
        s4.Store(sums + 16);
        s5.Store(sums + 20);
        s6.Store(sums + 24);
        s7.Store(sums + 28);
    }
}
