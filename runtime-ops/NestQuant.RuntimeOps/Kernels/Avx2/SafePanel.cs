using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Avx2;

/// <summary>
/// A decoded panel whose weights cannot make vpmaddubsw saturate: what stands in its way is moved to a list of residues, so that the fast
/// instruction gives exact sums.
/// </summary>
/// <remarks>
/// vpmaddubsw adds the products of two unsigned activations and two signed weights in 16 bits. 255 * 128 fits and 255 * 129 does not, so
/// a pair of weights is safe when its positive weights add up to 128 at most, and its negative ones likewise. Two such sums may be added
/// in 16 bits when all four weights are that small together: a safe quad. Quads are faster than pairs, but fewer of them are safe;
/// a panel uses what costs less. Weights are first divided by their common power of two (part precision has 2^l), which sums get back.
/// In memory: the panel <c>[k/4][channel 32][4]</c>, a header, then for each of the four vectors of 8 channels the residues' groups of k
/// and their weights <c>[channel 8][4]</c>.
/// </remarks>
internal static unsafe class SafePanel
{
    /// <summary>Bytes of a group's weights in one vector of 8 channels.</summary>
    public const int VectorBytes = 32;

    /// <summary>Vectors of 8 channels.</summary>
    public const int Vectors = KernelTier.TileChannels * 4 / VectorBytes;

    private const int GroupBytes = Vectors * VectorBytes;
    private const short Limit = 128;

    // What a group costs in pairs, relative to a group in quads: three instructions against two and a half, and its share of loads.
    private const double PairCost = 1.25;

    // Weights of 6 bits: four of them are 128 at most.
    private const int AlwaysSafeShift = 2;

    private const int SampledGroups = 64;

    /// <summary>How the weights may be multiplied.</summary>
    internal enum PanelKind
    {
        /// <summary>Unchanged: only with wide products.</summary>
        Plain,

        /// <summary>By vpmaddubsw, each result widened at once.</summary>
        Pairs,

        /// <summary>By vpmaddubsw, the results of groups 2i and 2i + 1 added in 16 bits.</summary>
        Quads,
    }

    /// <summary>Bytes of a prepared panel: each group of each vector may need one residue.</summary>
    public static int Bytes(int groups) => groups * (GroupBytes + Vectors * (VectorBytes + sizeof(int))) + sizeof(Header);

    /// <summary>The header of a prepared panel.</summary>
    public static Header* HeaderOf(sbyte* panel, int groups) => (Header*)(panel + (long)groups * GroupBytes);

    /// <summary>The residues of a vector.</summary>
    /// <param name="panel">The panel.</param>
    /// <param name="groups">Its groups of k.</param>
    /// <param name="vector">The vector of 8 channels.</param>
    /// <param name="index">Their groups of k.</param>
    /// <returns>Their weights, <see cref="VectorBytes"/> each.</returns>
    public static sbyte* Residues(sbyte* panel, int groups, int vector, out int* index)
    {
        sbyte* lists = panel + (long)groups * GroupBytes + sizeof(Header);
        index = (int*)lists + (long)vector * groups;
        return lists + (long)Vectors * groups * sizeof(int) + (long)vector * groups * VectorBytes;
    }

    /// <summary>Leaves a panel as it is, for a few rows.</summary>
    public static void LeavePlain(sbyte* panel, int groups) => *HeaderOf(panel, groups) = default;

    /// <summary>Makes a panel safe.</summary>
    /// <param name="panel">The decoded panel; memory for <see cref="Bytes"/>.</param>
    /// <param name="groups">Its groups of k.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Prepare(sbyte* panel, int groups)
    {
        // In bounds: everything lies within the Bytes(groups) of the panel; a list never gets more than one residue per group.
        Header* header = HeaderOf(panel, groups);
        *header = default;
        header->Shift = DivideByCommonPower(panel, groups);
        bool isAlwaysSafe = header->Shift >= AlwaysSafeShift;
        // What a sample says of pairs is enough: they never need more residues than there is room for.
        bool isQuads = isAlwaysSafe || (PrefersQuads(panel, Math.Min(groups, SampledGroups)) && PrefersQuads(panel, groups));
        header->Kind = isQuads ? PanelKind.Quads : PanelKind.Pairs;
        if (isAlwaysSafe)
            return;
        for (int vector = 0; vector < Vectors; vector++)
        {
            ResidueList list = new(panel, groups, vector);
            if (isQuads)
                MoveQuads(panel + vector * VectorBytes, groups, ref list);
            else
                MovePairs(panel + vector * VectorBytes, groups, ref list);
            header->Residues[vector] = list.Count;
        }
    }

    /// <summary>Whether quads cost less than pairs over the first groups, and their residues have room.</summary>
    private static bool PrefersQuads(sbyte* panel, int groups)
    {
        int pairs = 0, mostQuads = 0, quads = 0;
        for (int vector = 0; vector < Vectors; vector++)
        {
            Count(panel + vector * VectorBytes, groups, out int unsafePairs, out int quadResidues);
            pairs += unsafePairs;
            quads += quadResidues;
            mostQuads = Math.Max(mostQuads, quadResidues);
        }

        double quadCost = Vectors * groups + PairCost * quads;
        return mostQuads <= groups && quadCost <= PairCost * (Vectors * groups + pairs);
    }

    private static int DivideByCommonPower(sbyte* panel, int groups)
    {
        sbyte* end = panel + (long)groups * GroupBytes;
        Vector256<byte> seen = default;
        for (sbyte* w = panel; w < end; w += GroupBytes)
        {
            seen |= Vector256.Load((byte*)w) | Vector256.Load((byte*)w + VectorBytes);
            seen |= Vector256.Load((byte*)w + 2 * VectorBytes) | Vector256.Load((byte*)w + 3 * VectorBytes);
            // An odd weight ends the search, and full precision has one nearly always.
            if ((seen & Vector256<byte>.One) != default)
                return 0;
        }

        ulong bits = seen.AsUInt64()[0] | seen.AsUInt64()[1] | seen.AsUInt64()[2] | seen.AsUInt64()[3];
        bits |= bits >> 32;
        bits |= bits >> 16;
        bits |= bits >> 8;
        int shift = (byte)bits == 0 ? 0 : BitOperations.TrailingZeroCount((byte)bits);
        if (shift == 0)
            return 0;

        // The bits that a 16-bit shift carries into a byte are the neighbour's lowest, all 0; the sign is restored by flipping its bit
        // before and taking it off after.
        Vector256<byte> sign = Vector256.Create((byte)0x80);
        Vector256<byte> shiftedSign = Vector256.Create((byte)(0x80 >> shift));
        for (sbyte* w = panel; w < end; w += VectorBytes)
            ((((Vector256.Load((byte*)w) ^ sign).AsUInt16() >>> shift).AsByte()) - shiftedSign).Store((byte*)w);
        return shift;
    }

    private static void Count(sbyte* weights, int groups, out int pairs, out int quadResidues)
    {
        pairs = 0;
        quadResidues = 0;
        int group = 0;
        for (; group <= groups - 2; group += 2, weights += 2 * GroupBytes)
        {
            Sums first = new(Vector256.Load(weights));
            Sums second = new(Vector256.Load(weights + GroupBytes));
            if (first.Plus(second).Unsafe() == default)
                continue;
            int unsafePairs = (first.Unsafe() != default ? 1 : 0) + (second.Unsafe() != default ? 1 : 0);
            pairs += unsafePairs;
            quadResidues += 1 + unsafePairs;
        }

        if (group < groups && new Sums(Vector256.Load(weights)).Unsafe() != default)
        {
            pairs++;
            quadResidues++;
        }
    }

    private static void MovePairs(sbyte* weights, int groups, ref ResidueList list)
    {
        for (int group = 0; group < groups; group++, weights += GroupBytes)
            SplitUnsafePairs(weights, group, ref list);
    }

    private static void MoveQuads(sbyte* weights, int groups, ref ResidueList list)
    {
        int group = 0;
        for (; group <= groups - 2; group += 2, weights += 2 * GroupBytes)
        {
            Vector256<sbyte> second = Vector256.Load(weights + GroupBytes);
            Vector256<short> isUnsafe = new Sums(Vector256.Load(weights)).Plus(new Sums(second)).Unsafe();
            if (isUnsafe == default)
                continue;
            Vector256<sbyte> moved = second & isUnsafe.AsSByte();
            (second - moved).Store(weights + GroupBytes);
            sbyte* residue = list.Add(group + 1, moved);
            SplitUnsafePairs(residue, group + 1, ref list);
            SplitUnsafePairs(weights, group, ref list);
        }

        if (group < groups)
            SplitUnsafePairs(weights, group, ref list);
    }

    /// <summary>Halves the weights of unsafe pairs: either half is at most 64 in magnitude.</summary>
    private static void SplitUnsafePairs(sbyte* weights, int group, ref ResidueList list)
    {
        Vector256<sbyte> w = Vector256.Load(weights);
        Vector256<short> isUnsafe = new Sums(w).Unsafe();
        if (isUnsafe == default)
            return;
        Vector256<byte> sign = Vector256.Create((byte)0x80);
        Vector256<sbyte> half = (X86Avx2.Average(w.AsByte() ^ sign, sign) ^ sign).AsSByte() & isUnsafe.AsSByte();
        (w - half).Store(weights);
        list.Add(group, half);
    }

    /// <summary>What the kernels need to know of a panel.</summary>
    internal struct Header
    {
        /// <summary>How to multiply.</summary>
        public PanelKind Kind;

        /// <summary>Bits by which the sums are shifted left.</summary>
        public int Shift;

        /// <summary>Number of residues of each vector.</summary>
        public fixed int Residues[Vectors];
    }

    /// <summary>Of each pair of weights, the sum of the positive ones and that of the negative ones.</summary>
    private readonly struct Sums
    {
        private readonly Vector256<short> _positive;
        private readonly Vector256<short> _negative;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Sums(Vector256<sbyte> weights)
            : this(
                X86Avx2.MultiplyAddAdjacent(X86Avx2.Max(weights, default).AsByte(), Vector256<sbyte>.One),
                X86Avx2.MultiplyAddAdjacent(Vector256<byte>.One, X86Avx2.Min(weights, default)))
        {
        }

        private Sums(Vector256<short> positive, Vector256<short> negative)
        {
            _positive = positive;
            _negative = negative;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Sums Plus(in Sums other) => new(_positive + other._positive, _negative + other._negative);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<short> Unsafe() =>
            X86Avx2.CompareGreaterThan(_positive, Vector256.Create(Limit)) | X86Avx2.CompareGreaterThan(Vector256.Create((short)-Limit), _negative);
    }

    private ref struct ResidueList(sbyte* panel, int groups, int vector)
    {
        private readonly sbyte* _weights = Residues(panel, groups, vector, out _);
        private readonly int* _index = IndexOf(panel, groups, vector);

        public int Count { get; private set; }

        public sbyte* Add(int group, Vector256<sbyte> weights)
        {
            sbyte* residue = _weights + Count * VectorBytes;
            _index[Count++] = group;
            weights.Store(residue);
            return residue;
        }

        private static int* IndexOf(sbyte* panel, int groups, int vector)
        {
            Residues(panel, groups, vector, out int* index);
            return index;
        }
    }
}
