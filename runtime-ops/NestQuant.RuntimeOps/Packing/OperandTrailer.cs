using System.Buffers.Binary;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Packing;

/// <summary>
/// The last 16 bytes of an operand, which identify it: <c>NQOP</c>, the layout version, <c>H</c> or <c>L</c>, two zeros, and the
/// 8 bytes of the <see cref="WeightTag"/>.
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
    /// <param name="role">Which operand it should be.</param>
    /// <param name="tag">The tag that the node gives.</param>
    /// <returns>The end of a sentence that starts with the operand; null when it is the right one.</returns>
    public static string? Problem(ReadOnlySpan<byte> trailer, NestedLayout layout, OperandRole role, WeightTag tag)
    {
        ArgumentNullException.ThrowIfNull(layout);
        WeightTag found = new(BinaryPrimitives.ReadUInt64BigEndian(trailer[TagOffset..]));
        if (IsTrailer(trailer, layout, role))
            return found == tag ? null : Invariant($"belongs to another compilation: its tag is {found}, the node's is {tag}");
        OperandRole other = role == OperandRole.High ? OperandRole.Low : OperandRole.High;
        return IsTrailer(trailer, layout, other)
            ? Invariant($"is the {other.ToString().ToLowerInvariant()} operand of a weight")
            : Invariant($"does not end like an operand of layout version {layout.Version}: it is damaged, or of another version");
    }

    internal static void Write(NestedLayout layout, OperandRole role, WeightTag tag, Span<byte> operand)
    {
        operand[(int)layout.PanelsLength(role)..].Clear();
        Span<byte> trailer = operand[^Length..];
        WriteHeader(trailer, layout, role);
        BinaryPrimitives.WriteUInt64BigEndian(trailer[TagOffset..], tag.Value);
    }

    private static bool IsTrailer(ReadOnlySpan<byte> trailer, NestedLayout layout, OperandRole role)
    {
        Span<byte> header = stackalloc byte[TagOffset];
        WriteHeader(header, layout, role);
        return trailer[..TagOffset].SequenceEqual(header);
    }

    private static void WriteHeader(Span<byte> trailer, NestedLayout layout, OperandRole role)
    {
        Magic.CopyTo(trailer);
        trailer[4] = (byte)layout.Version;
        trailer[5] = role == OperandRole.High ? (byte)'H' : (byte)'L';
        trailer[6] = 0;
        trailer[7] = 0;
    }
}
