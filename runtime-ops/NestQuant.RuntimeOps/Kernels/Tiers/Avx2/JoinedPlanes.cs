using System.Collections.Concurrent;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>
/// How the sub-planes of all operands of a level (<see cref="BitPlanes"/>) are joined to planes of 4 bits, and what each of these adds to a
/// value.
/// </summary>
/// <remarks>
/// Two planes of 1 bit make one of 2 bits, and two of 2 bits one of 4. A value modulo 256 is a sum over its bits, so what a joined nibble
/// adds to it is an entry of a table of 16, whichever operands its bits are from. Where a plane has no other to be joined with, it is
/// joined with itself, and its second copy adds nothing.
/// </remarks>
internal sealed class JoinedPlanes
{
    /// <summary>The most planes of 4 bits, for the most bits of all operands: 14, of seven levels.</summary>
    public const int MostNibbles = 4;

    /// <summary>The most sub-planes of all operands of a weight.</summary>
    public const int MostPlanes = 7;

    /// <summary>Entries of a table.</summary>
    public const int TableBytes = 16;

    private static readonly ConcurrentDictionary<(NestedBits Bits, int Level), JoinedPlanes> Known = new();

    private JoinedPlanes(NestedBits bits, int level)
    {
        List<Plane> ones = [], twos = [], fours = [];
        for (int step = 0; step <= bits.StepTo(level); step++)
        {
            int width = bits.WidthOfStep(step), shift = bits.Full - bits.LevelOfStep(step), position = 0;
            foreach ((int planeWidth, List<Plane> planes) in ((int, List<Plane>)[])[(4, fours), (2, twos), (1, ones)])
            {
                if ((width & planeWidth) == 0)
                    continue;
                int first = shift + position;
                planes.Add(new Plane(
                    step,
                    NestedLayout.PanelChannels * position,
                    NestedLayout.PanelChannels * width,
                    [.. Enumerable.Range(first, planeWidth).Select(static bit => (byte)(1 << bit))]));
                position += planeWidth;
            }
        }

        (Ones, Twos, Fours) = ([.. ones], [.. twos], [.. fours]);
        byte[][] pairs = [.. twos.Select(static plane => plane.Weights), .. Join(ones.Select(static plane => plane.Weights))];
        byte[][] nibbles = [.. fours.Select(static plane => plane.Weights), .. Join(pairs)];
        Nibbles = nibbles.Length;
        Tables = [.. nibbles.SelectMany(static weights => Table(weights))];
        byte offset = (byte)BlockValues.Offset(bits, bits.StepTo(level));
        for (int i = 0; i < TableBytes; i++)
            Tables[i] -= offset;
    }

    /// <summary>The operands' planes of 1 bit, to be joined two by two.</summary>
    public Plane[] Ones { get; }

    /// <summary>The operands' planes of 2 bits; those made of <see cref="Ones"/> follow them, and all are joined two by two.</summary>
    public Plane[] Twos { get; }

    /// <summary>The operands' planes of 4 bits; those made of <see cref="Twos"/> follow them.</summary>
    public Plane[] Fours { get; }

    /// <summary>Planes of 4 bits that result.</summary>
    public int Nibbles { get; }

    /// <summary>
    /// What each value of a nibble adds to the weight, 16 bytes per plane of 4 bits; the first table also removes the codes' offsets.
    /// </summary>
    public byte[] Tables { get; }

    /// <summary>Those of a level.</summary>
    public static JoinedPlanes Of(NestedBits bits, int level) =>
        Known.GetOrAdd((bits, level), static key => new JoinedPlanes(key.Bits, key.Level));

    private static IEnumerable<byte[]> Join(IEnumerable<byte[]> planes) =>
        planes.Chunk(2).Select(static pair => (byte[])[.. pair[0], .. pair.Length == 2 ? pair[1] : new byte[pair[0].Length]]);

    private static byte[] Table(byte[] weights)
    {
        byte[] table = new byte[TableBytes];
        for (int nibble = 0; nibble < table.Length; nibble++)
        {
            for (int bit = 0; bit < weights.Length; bit++)
                table[nibble] += (byte)(((nibble >> bit) & 1) * weights[bit]);
        }

        return table;
    }

    /// <summary>A sub-plane of an operand.</summary>
    /// <param name="Step">The operand.</param>
    /// <param name="Offset">Bytes from a block's start in the operand to the plane.</param>
    /// <param name="Stride">Bytes from one block to the next.</param>
    /// <param name="Weights">What each bit of a field adds to the value, modulo 256.</param>
    public readonly record struct Plane(int Step, int Offset, int Stride, byte[] Weights);
}
