using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>
/// The order of a panel's 32 channels in <see cref="PairStrips"/>: slice s has channels 4s to 4s + 3 and 16 + 4s to 16 + 4s + 3, four in
/// each half of a vector. Unpacking bytes, which works within halves, brings channels into this order, and packing results, which does
/// too, brings them back.
/// </summary>
internal static unsafe class StripSlices
{
    /// <summary>Slices of a panel.</summary>
    public const int Count = KernelTier.TileChannels / Channels;

    /// <summary>Channels of a slice: 32-bit numbers of a vector.</summary>
    public const int Channels = 8;

    private const int Half = Channels / 2;

    /// <summary>A slice's values.</summary>
    /// <param name="panel">32 values in the order of the channels.</param>
    /// <param name="slice">Index of the slice.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Load(int* panel, int slice) => Vector256.Create(
        Vector128.Load(panel + slice * Half), Vector128.Load(panel + KernelTier.TileChannels / 2 + slice * Half));

    /// <summary>Reorders 32 values from slices to the order of the channels, in place.</summary>
    public static void Restore(int* panel)
    {
        // In bounds: 4 vectors, loaded before they are replaced.
        Vector256<int> v0 = Vector256.Load(panel), v1 = Vector256.Load(panel + Channels);
        Vector256<int> v2 = Vector256.Load(panel + 2 * Channels), v3 = Vector256.Load(panel + 3 * Channels);
        Vector256.Create(v0.GetLower(), v1.GetLower()).Store(panel);
        Vector256.Create(v2.GetLower(), v3.GetLower()).Store(panel + Channels);
        Vector256.Create(v0.GetUpper(), v1.GetUpper()).Store(panel + 2 * Channels);
        Vector256.Create(v2.GetUpper(), v3.GetUpper()).Store(panel + 3 * Channels);
    }
}
