using System.Runtime.Intrinsics;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Arm64;

/// <summary>Initial values of the accumulators of products with x - 128, which make the results those with x: 128 * Σw of every
/// channel.</summary>
/// <typeparam name="TNeon">The instructions of every arm64 processor.</typeparam>
/// <remarks>A prepared panel is the decoded one, <c>[k/4][channel 32][4]</c>, followed by these, int[32].</remarks>
internal static unsafe class AccumulatorStarts<TNeon>
    where TNeon : struct, INeon
{
    private const int GroupStride = KernelTier.TileChannels * 4;

    /// <summary>Bytes of a prepared panel.</summary>
    public static int PreparedBytes(int groups) => groups * GroupStride + KernelTier.TileChannels * sizeof(int);

    /// <summary>The starts of a prepared panel.</summary>
    public static int* Of(sbyte* panel, int groups) => (int*)(panel + (long)groups * GroupStride);

    /// <summary>Computes them, and stores them after a decoded panel.</summary>
    public static void Prepare(sbyte* panel, int groups)
    {
        // In bounds: they are the last bytes of the prepared panel. Exact: 65,536 weights of -128 give -2^30.
        int* starts = Of(panel, groups);
        WeightSums<TNeon>.Sum(panel, groups, starts);
        for (int channel = 0; channel < KernelTier.TileChannels; channel += Vector128<int>.Count)
            (Vector128.Load(starts + channel) << 7).Store(starts + channel);
    }
}
