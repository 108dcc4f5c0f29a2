using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Arm64;

/// <summary>Sums of a panel's weights.</summary>
/// <typeparam name="TNeon">The instructions of every arm64 processor.</typeparam>
internal static unsafe class WeightSums<TNeon>
    where TNeon : struct, INeon
{
    private const int Vector = 16;

    /// <summary>See <see cref="KernelTier.SumWeights"/>; the sums may lie directly after the panel.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    public static void Sum(sbyte* panel, int groups, int* sums)
    {
        // In bounds: a group is 128 weights, `groups` times.
        Vector128<int> s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default, s6 = default, s7 = default;
        for (int group = 0; group < groups; group++, panel += KernelTier.TileChannels * 4)
        {
            s0 = TNeon.AddFours(s0, Vector128.Load(panel));
            s1 = TNeon.AddFours(s1, Vector128.Load(panel + Vector));
            s2 = TNeon.AddFours(s2, Vector128.Load(panel + 2 * Vector));
            s3 = TNeon.AddFours(s3, Vector128.Load(panel + 3 * Vector));
            s4 = TNeon.AddFours(s4, Vector128.Load(panel + 4 * Vector));
            s5 = TNeon.AddFours(s5, Vector128.Load(panel + 5 * Vector));
            s6 = TNeon.AddFours(s6, Vector128.Load(panel + 6 * Vector));
            s7 = TNeon.AddFours(s7, Vector128.Load(panel + 7 * Vector));
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
