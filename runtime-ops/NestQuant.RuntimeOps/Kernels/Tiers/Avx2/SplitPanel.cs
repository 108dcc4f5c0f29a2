using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>A decoded panel of any weights as the sum of two that vpmaddubsw multiplies exactly: a main part and a sparse excess.</summary>
/// <remarks>
/// vpmaddubsw adds the products of two unsigned activations and two signed weights in 16 bits, saturating. That is exact for any
/// activations if the positive weights of the pair add up to 128 at most, and the negative ones to -128 at least: 255 * 128 is 32,640.
/// Two weights of opposite signs always do; two of the same sign do unless |w0 + w1| exceeds 128. Then w0 gives what is too much, at most
/// 128 and never more than w0 itself since w1 alone is within the limit, to the excess. Trained weights rarely need that.
///
/// A vector is 8 channels by a group of 4 rows of k. Vectors of the excess are stored only where they are not 0, 8 channels after 8
/// channels. Consecutive ones whose weights, at the same place, add up to 128 at most form a run: their products are added in 16 bits.
///
/// In memory: the main part <c>[k/4][channel 32][4]</c>; then for every 8 channels room for a vector of excess per group; then for every 8
/// channels the runs: the number of vectors and the group of each, uint16, ended by a run of 0.
/// </remarks>
internal static unsafe class SplitPanel
{
    /// <summary>Channels of a vector.</summary>
    public const int VectorChannels = 8;

    /// <summary>Bytes of a vector.</summary>
    public const int VectorBytes = VectorChannels * 4;

    private const int Vectors = KernelTier.TileChannels / VectorChannels;
    private const int GroupBytes = KernelTier.TileChannels * 4;
    private const short Limit = 128;

    /// <summary>Bytes of a prepared panel.</summary>
    public static int Bytes(int groups) => 2 * groups * GroupBytes + Vectors * RunLength(groups) * sizeof(ushort);

    /// <summary>The first vector of the excess of eight channels.</summary>
    /// <param name="panel">The panel.</param>
    /// <param name="groups">Its groups.</param>
    /// <param name="vector">Which eight channels.</param>
    public static sbyte* Excess(sbyte* panel, int groups, int vector) => panel + ((long)Vectors + vector) * groups * VectorBytes;

    /// <summary>The first run of the excess of eight channels.</summary>
    /// <param name="panel">The panel.</param>
    /// <param name="groups">Its groups.</param>
    /// <param name="vector">Which eight channels.</param>
    public static ushort* Runs(sbyte* panel, int groups, int vector) =>
        (ushort*)(panel + 2L * groups * GroupBytes) + vector * RunLength(groups);

    /// <summary>Splits a decoded panel.</summary>
    public static void Prepare(sbyte* panel, int groups)
    {
        for (int vector = 0; vector < Vectors; vector++)
            Split(panel + vector * VectorBytes, groups, Excess(panel, groups, vector), Runs(panel, groups, vector));
    }

    // At most one vector per group, each a run of its own, and the end.
    private static int RunLength(int groups) => 2 * groups + 1;

    [MethodImpl(MethodCompilation.Loops)]
    private static void Split(sbyte* weights, int groups, sbyte* excess, ushort* run)
    {
        // In bounds: a group reads and writes one vector of the panel, and adds at most one vector, its number and a run to the excess.
        ushort* next = run + 1;
        Vector256<short> limit = Vector256.Create(Limit);
        Vector256<short> total = default;
        for (int group = 0; group < groups; group++, weights += GroupBytes)
        {
            Vector256<sbyte> w = Vector256.Load(weights);
            Vector256<short> sums = X86Avx2.MultiplyAddAdjacent(Vector256<byte>.One, w);
            Vector256<short> beyond = X86Avx2.SubtractSaturate(X86Avx2.Abs(sums), limit.AsUInt16()).AsInt16();
            Vector256<sbyte> first = (X86Avx2.Sign(beyond, sums) & Vector256.Create((short)0xFF)).AsSByte();
            (w - first).Store(weights);
            first.Store(excess);
            total += beyond;
            if (Vector256.GreaterThanAny(total, limit))
            {
                total = beyond;
                *run = (ushort)(next - run - 1);
                run = next++;
            }

            // Trained weights need an excess too irregularly for a branch.
            *next = (ushort)group;
            int isNeeded = beyond == default ? 0 : 1;
            next += isNeeded;
            excess += isNeeded * VectorBytes;
        }

        *run = (ushort)(next - run - 1);
        if (*run != 0)
            *next = 0;
    }
}
