using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Packing;

/// <summary>
/// Identifies a nested weight: derived from the content of its operands, and stored in each of them and in every node that reads them, so
/// that operands of different compilations are not taken for one weight.
/// </summary>
/// <remarks>
/// It does not prove that the content is unchanged: comparing tags reads only 16 bytes of an operand. Nor is it a signature: whoever can
/// write the files can write the tags.
/// </remarks>
/// <param name="Value">The first 8 bytes of the hash, big-endian.</param>
public readonly record struct WeightTag(ulong Value)
{
    private const int HexDigits = 16;

    /// <summary>Computes the tag of a weight from its operands' panels, without the trailers.</summary>
    /// <param name="layout">The weight's layout.</param>
    /// <param name="operands">All operands as a whole: the high one, then the low ones in the order of their steps.</param>
    /// <exception cref="ArgumentException">One is missing, a length does not match the layout, or its version has no tags.</exception>
    public static WeightTag Of(NestedLayout layout, params ReadOnlySpan<ReadOnlyMemory<byte>> operands)
    {
        ArgumentNullException.ThrowIfNull(layout);
        if (!layout.HasTrailer)
            throw new ArgumentException(Invariant($"operands of layout version {layout.Version} have no tags"));
        NestedPacker.CheckCount("operands", operands.Length, layout);
        for (int step = 0; step < operands.Length; step++)
            NestedPacker.CheckByteLength(layout, step, operands[step].Length);

        ReadOnlySpan<int> meaning =
            [
                layout.Version, .. layout.Version >= 3 ? [layout.Bits.Count] : (int[])[], .. layout.Bits.Levels,
                layout.View.Groups, layout.View.Inner, layout.View.Channels, layout.View.Taps
            ];
        Span<byte> header = stackalloc byte[sizeof(int) * meaning.Length];
        for (int i = 0; i < meaning.Length; i++)
            BinaryPrimitives.WriteInt32LittleEndian(header[(sizeof(int) * i)..], meaning[i]);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(header);
        for (int step = 0; step < operands.Length; step++)
            hash.AppendData(operands[step].Span[..(int)layout.PanelsLength(step)]);
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(digest);
        return new WeightTag(BinaryPrimitives.ReadUInt64BigEndian(digest));
    }

    /// <summary>Reads the text form.</summary>
    public static bool TryParse(string text, out WeightTag tag)
    {
        bool isTag = ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong value);
        tag = new WeightTag(value);
        return isTag && tag.ToString() == text;
    }

    /// <summary>16 lower-case hexadecimal digits, as in the attribute <c>weight_tag</c>.</summary>
    public override string ToString() => Value.ToString("x" + HexDigits, CultureInfo.InvariantCulture);
}
