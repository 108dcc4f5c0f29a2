using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>A decoded panel in the form that <see cref="InnerProduct"/> adds to rows.</summary>
/// <remarks>
/// In memory: <c>[k/4][channel/8][half 2][channel 8][2]</c> in 16 bits, half 0 being the weights of rows 2 and 3 of the group, which are
/// added to x0 and x1, and half 1 those of rows 0 and 1; then, for each of the 32 channels, an int32: minus the sum of w0 * w2 + w1 * w3
/// over the groups.
/// </remarks>
internal static unsafe class InnerProductPanel
{
    /// <summary>Channels of a vector.</summary>
    public const int VectorChannels = 8;

    /// <summary>16-bit weights of a vector's channels in a group of 4 rows of k, both halves.</summary>
    public const int VectorWeights = 4 * VectorChannels;

    /// <summary>16-bit weights from one group of 4 rows of k to the next.</summary>
    public const int GroupWeights = 4 * KernelTier.TileChannels;

    // Shuffles to 0: a byte above zeros becomes its value in 16 bits by an arithmetic shift.
    private const sbyte None = -1;

    /// <summary>Bytes of a prepared panel.</summary>
    public static int Bytes(int groups) => groups * GroupWeights * sizeof(short) + KernelTier.TileChannels * sizeof(int);

    /// <summary>What is added for each channel, 32 values.</summary>
    public static int* Corrections(short* panel, int groups) => (int*)(panel + (long)groups * GroupWeights);

    /// <summary>Widens a decoded panel in place.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    public static void Prepare(sbyte* panel, int groups)
    {
        // In bounds: from the last group to the first, so that a group's 256 bytes are written where only its own 128 bytes, which are in
        // registers by then, and those of groups behind it were.
        short* widened = (short*)panel;
        Vector256<int> s0 = default, s1 = default, s2 = default, s3 = default;
        for (int group = groups - 1; group >= 0; group--)
        {
            sbyte* weights = panel + (long)group * GroupWeights;
            short* target = widened + (long)group * GroupWeights;
            Vector256<sbyte> w0 = Vector256.Load(weights), w1 = Vector256.Load(weights + 32);
            Vector256<sbyte> w2 = Vector256.Load(weights + 64), w3 = Vector256.Load(weights + 96);
            s0 -= Widen(w0, target);
            s1 -= Widen(w1, target + VectorWeights);
            s2 -= Widen(w2, target + 2 * VectorWeights);
            s3 -= Widen(w3, target + 3 * VectorWeights);
        }

        int* corrections = Corrections(widened, groups);
        s0.Store(corrections);
        s1.Store(corrections + 8);
        s2.Store(corrections + 16);
        s3.Store(corrections + 24);
    }

    /// <summary>The weights of rows 2 and 3, in 16 bits, of four weights of each of eight channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> LastHalf(Vector256<sbyte> weights) =>
        X86Avx2.Shuffle(
            weights,
            Vector256.Create(
                None, 2, None, 3, None, 6, None, 7, None, 10, None, 11, None, 14, None, 15,
                None, 2, None, 3, None, 6, None, 7, None, 10, None, 11, None, 14, None, 15)).AsInt16() >> 8;

    /// <summary>The weights of rows 0 and 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> FirstHalf(Vector256<sbyte> weights) =>
        X86Avx2.Shuffle(
            weights,
            Vector256.Create(
                None, 0, None, 1, None, 4, None, 5, None, 8, None, 9, None, 12, None, 13,
                None, 0, None, 1, None, 4, None, 5, None, 8, None, 9, None, 12, None, 13)).AsInt16() >> 8;

    /// <summary>Widens four weights of each of eight channels, and multiplies those that meet the same activations.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Widen(Vector256<sbyte> weights, short* target)
    {
        Vector256<short> last = LastHalf(weights), first = FirstHalf(weights);
        last.Store(target);
        first.Store(target + VectorWeights / 2);
        return X86Avx2.MultiplyAddAdjacent(last, first);
    }
}
