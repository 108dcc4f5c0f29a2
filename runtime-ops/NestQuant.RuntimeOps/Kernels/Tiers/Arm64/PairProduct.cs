using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Arm64;

/// <summary>The integer product without dot products: bytes are multiplied to 16 bits and added in pairs to 32-bit accumulators.</summary>
/// <typeparam name="TNeon">The instructions of every arm64 processor.</typeparam>
internal static unsafe class PairProduct<TNeon>
    where TNeon : struct, INeon
{
    private const int GroupStride = KernelTier.TileChannels * 4;
    private const int Vector = 16;

    /// <summary>One row by the panel's 32 channels, with two accumulators per channel, each for two of every four products.</summary>
    /// <param name="row">4 * groups activations.</param>
    /// <param name="panel">The panel <c>[k/4][channel 32][4]</c>.</param>
    /// <param name="groups">Groups of 4 rows of k.</param>
    /// <param name="starts">Initial values of the 32 accumulators.</param>
    /// <param name="accumulators">Receives 32 accumulators modulo 2^32.</param>
    [MethodImpl(MethodCompilation.Loops)]
    public static void OneRow(byte* row, sbyte* panel, int groups, int* starts, int* accumulators)
    {
        // In bounds: a group reads 4 activations and its 128 weights, `groups` times.
        Vector128<int> l0 = default, l1 = default, l2 = default, l3 = default, l4 = default, l5 = default, l6 = default, l7 = default;
        Vector128<int> h0 = default, h1 = default, h2 = default, h3 = default, h4 = default, h5 = default, h6 = default, h7 = default;
        for (int group = 0; group < groups; group++, row += 4, panel += GroupStride)
        {
            Vector128<sbyte> x = SignedActivations.Four(row);
            Add(panel, x, ref l0, ref h0);
            Add(panel + Vector, x, ref l1, ref h1);
            Add(panel + 2 * Vector, x, ref l2, ref h2);
            Add(panel + 3 * Vector, x, ref l3, ref h3);
            Add(panel + 4 * Vector, x, ref l4, ref h4);
            Add(panel + 5 * Vector, x, ref l5, ref h5);
            Add(panel + 6 * Vector, x, ref l6, ref h6);
            Add(panel + 7 * Vector, x, ref l7, ref h7);
        }

        Store(l0, h0, starts, accumulators);
        Store(l1, h1, starts + 4, accumulators + 4);
        Store(l2, h2, starts + 8, accumulators + 8);
        Store(l3, h3, starts + 12, accumulators + 12);
        Store(l4, h4, starts + 16, accumulators + 16);
        Store(l5, h5, starts + 20, accumulators + 20);
        Store(l6, h6, starts + 24, accumulators + 24);
        Store(l7, h7, starts + 28, accumulators + 28);
    }

    /// <summary>Four channels of one group: two of them in each of two vectors of accumulators.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(sbyte* weights, Vector128<sbyte> x, ref Vector128<int> low, ref Vector128<int> high)
    {
        Vector128<sbyte> w = Vector128.Load(weights);
        high = TNeon.AddPairsUpper(high, w, x);
        low = TNeon.AddPairsLower(low, w, x);
    }

    /// <summary>Adds the two neighbouring accumulators of each channel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector128<int> low, Vector128<int> high, int* starts, int* accumulators)
    {
        Vector128<int> even = Vector128.Narrow(low.AsInt64(), high.AsInt64());
        Vector128<int> odd = Vector128.Narrow(low.AsInt64() >> 32, high.AsInt64() >> 32);
        (Vector128.Load(starts) + even + odd).Store(accumulators);
    }
}
