using System.Buffers.Binary;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Packing;

/// <summary>
/// The last 16 bytes of an operand, which identify it: <c>NQOP</c>, the layout version, <c>H</c> or <c>L</c>, since version 3 the bits
/// of the level that the operand's step reaches, a zero, and the 8 bytes of the <see cref="WeightTag"/>.
/// </summary>
internal static class OperandTrailer
{
    /// <summary>Bytes of a trailer.</summary>
    public const int Length = 16;

    /// <summary>Advice for the user about a <see cref="Problem"/>.</summary>
    public const string Advice = "use the .onnx and .bin files that were written together ('nestquant verify' names the file that was not)";

    /// <summary>A trailer starts at a multiple of this, after zeros, so it never crosses a page boundary.</summary>
    internal const int Alignment = 16;

    private const int TagOffset = 8;

    private static ReadOnlySpan<byte> Magic => "NQOP"u8;

    /// <summary>Why an operand is not the one that a node needs.</summary>
    /// <param name="trailer">The operand's last <see cref="Length"/> bytes.</param>
    /// <param name="layout">The layout that the node gives.</param>
    /// <param name="step">Which operand it should be: 0 for the high one, or the step of a low one.</param>
    /// <param name="tag">The tag that the node gives.</param>
    /// <returns>The end of a sentence that starts with the operand; null when it is the right one.</returns>
    public static string? Problem(ReadOnlySpan<byte> trailer, NestedLayout layout, int step, WeightTag tag)
    {
        ArgumentNullException.ThrowIfNull(layout);
        WeightTag found = new(BinaryPrimitives.ReadUInt64BigEndian(trailer[TagOffset..]));
        if (IsTrailer(trailer, layout, step))
            return found == tag ? null : Invariant($"belongs to another compilation: its tag is {found}, the node's is {tag}");
        for (int other = 0; other < layout.Bits.Count; other++)
        {
            if (IsTrailer(trailer, layout, other))
                return $"is {Describe(layout, other)} of a weight";
        }

        return Invariant($"does not end like an operand of layout version {layout.Version}: it is damaged, or of another version");
    }

    internal static void Write(NestedLayout layout, int step, WeightTag tag, Span<byte> operand)
    {
        operand[(int)layout.PanelsLength(step)..].Clear();
        Span<byte> trailer = operand[^Length..];
        WriteHeader(trailer, layout, step);
        BinaryPrimitives.WriteUInt64BigEndian(trailer[TagOffset..], tag.Value);
    }

    private static bool IsTrailer(ReadOnlySpan<byte> trailer, NestedLayout layout, int step)
    {
        Span<byte> header = stackalloc byte[TagOffset];
        WriteHeader(header, layout, step);
        return trailer[..TagOffset].SequenceEqual(header);
    }

    private static string Describe(NestedLayout layout, int step) =>
        step == 0 ? "the high operand"
        : layout.Bits.Count == 2 ? "the low operand"
        : Invariant($"the low operand that leads to {layout.Bits.LevelOfStep(step)} bits");

    private static void WriteHeader(Span<byte> trailer, NestedLayout layout, int step)
    {
        Magic.CopyTo(trailer);
        trailer[4] = (byte)layout.Version;
        trailer[5] = step == 0 ? (byte)'H' : (byte)'L';
        trailer[6] = (byte)(layout.Version >= 3 && step > 0 ? layout.Bits.LevelOfStep(step) : 0);
        trailer[7] = 0;
    }
}
