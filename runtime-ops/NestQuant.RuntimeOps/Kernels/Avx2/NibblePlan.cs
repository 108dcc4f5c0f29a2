using System.Collections.Concurrent;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Avx2;

/// <summary>
/// How <see cref="LevelDecoder"/> puts the sub-planes of a level's operands together: those of one bit in twos, those of two bits in twos
/// again, until all have four bits, each with a table of what its sixteen codes add to a value.
/// </summary>
/// <remarks>
/// Sub-planes are read from streams: the operands by step, then the merged one-bit sub-planes, then zeros, which complete an odd number.
/// </remarks>
internal sealed class NibblePlan
{
    /// <summary>Bytes that a sub-plane takes in a block for each of its bits.</summary>
    public const int BytesPerBit = NestedLayout.BlockValues / 8;

    /// <summary>The most streams: seven operands, two merged ones and zeros.</summary>
    public const int MostStreams = NestedBits.MostLevels + MostBitPairs + 1;

    /// <summary>The most pairs of one-bit sub-planes: codes of an odd width have one, and they take up at least two bits of eight.</summary>
    public const int MostBitPairs = 2;

    private static readonly ConcurrentDictionary<(NestedBits Bits, int Steps), NibblePlan> Plans = [];

    private NibblePlan(NestedBits bits, int steps)
    {
        // By the logarithm of their bits.
        List<SubPlane>[] planes = [[], [], []];
        for (int step = 0; step <= steps; step++)
        {
            int width = bits.WidthOfStep(step), position = 0;
            for (int log = 2; log >= 0; log--)
            {
                int count = 1 << log;
                if ((width & count) == 0)
                    continue;
                int place = bits.Full - bits.LevelOfStep(step) + position;
                planes[log].Add(new SubPlane(new Source(step, position * BytesPerBit), [.. Enumerable.Range(place, count)]));
                position += count;
            }
        }

        int merged = steps + 1;
        Source zeros = new(merged + (planes[0].Count + 1) / 2, 0);
        (SubPlane Low, SubPlane High)[] bitPairs = Pairs(planes[0], zeros);
        BitPairs = [.. bitPairs.Select(static pair => new Pair(pair.Low.Source, pair.High.Source, default))];
        planes[1].AddRange(bitPairs.Select((pair, i) => new SubPlane(new Source(merged + i, 0), [.. pair.Low.Places, .. pair.High.Places])));
        // Zeros where there are only sub-planes of four bits, as in 7 bits of 8:7:4: the first pair is always there.
        if (planes[1].Count == 0)
            planes[1].Add(new SubPlane(zeros, []));
        int offset = BlockValues.Offset(bits, steps);
        CodePairs = [.. Pairs(planes[1], zeros).Select((pair, i) =>
            new Pair(pair.Low.Source, pair.High.Source, Table([.. pair.Low.Places, .. pair.High.Places], i == 0 ? -offset : 0)))];
        Nibbles = [.. planes[2].Select(static plane => new Pair(plane.Source, default, Table(plane.Places, 0)))];
    }

    /// <summary>One-bit sub-planes to merge, whose results are streams.</summary>
    public Pair[] BitPairs { get; }

    /// <summary>Two-bit sub-planes to merge, whose results are looked up: one or more, and the first table holds the values' offset.</summary>
    public Pair[] CodePairs { get; }

    /// <summary>Four-bit sub-planes, which are looked up as they are.</summary>
    public Pair[] Nibbles { get; }

    /// <summary>The plan for a level.</summary>
    /// <param name="bits">The weight's levels.</param>
    /// <param name="steps">The steps to the level.</param>
    public static NibblePlan Of(NestedBits bits, int steps) =>
        Plans.GetOrAdd((bits, steps), static level => new NibblePlan(level.Bits, level.Steps));

    private static (SubPlane Low, SubPlane High)[] Pairs(List<SubPlane> planes, Source zeros) =>
        [.. planes.Chunk(2).Select(pair => (pair[0], pair.Length == 2 ? pair[1] : new SubPlane(zeros, [])))];

    /// <summary>The sum of a start and of the places of the bits that are set, for every code.</summary>
    private static Vector256<byte> Table(int[] places, int start)
    {
        Span<byte> table = stackalloc byte[Vector256<byte>.Count];
        for (int code = 0; code < table.Length; code++)
        {
            table[code] = (byte)start;
            for (int bit = 0; bit < places.Length; bit++)
                table[code] += (byte)((code >> bit & 1) << places[bit]);
        }

        // The second half of a vector is looked up in the second half of the table.
        table[..Vector128<byte>.Count].CopyTo(table[Vector128<byte>.Count..]);
        return Vector256.Create(table);
    }

    /// <summary>Where a sub-plane lies.</summary>
    /// <param name="Stream">The stream.</param>
    /// <param name="Offset">Its bytes before the sub-plane, in every block.</param>
    internal readonly record struct Source(int Stream, int Offset);

    /// <summary>Two sub-planes that make codes of twice the bits.</summary>
    /// <param name="Low">The low half of a code.</param>
    /// <param name="High">The high half of a code.</param>
    /// <param name="Table">What each code adds to a value.</param>
    internal readonly record struct Pair(Source Low, Source High, Vector256<byte> Table);

    /// <param name="Source">Where it lies.</param>
    /// <param name="Places">The place in the value of each bit of a code, the lowest first.</param>
    private sealed record SubPlane(Source Source, int[] Places);
}
