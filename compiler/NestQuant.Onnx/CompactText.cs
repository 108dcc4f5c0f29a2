using System.IO.Compression;
using System.Text;

namespace NestQuant.Onnx;

/// <summary>
/// The compact form of a long text in a model's metadata: <c>br:</c> and, in base64, its UTF-8 bytes compressed by Brotli. What prints or
/// compares models shows the text itself.
/// </summary>
internal static class CompactText
{
    private const string Prefix = "br:";
    private const int Quality = 9;
    private const int Window = 22;

    /// <summary>Largest text that is unpacked, so that a damaged or hostile model does not fill the memory.</summary>
    private const int MaxBytes = 64 << 20;

    /// <summary>The compact form of a text, or the text where that is no longer.</summary>
    public static string Pack(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var bytes = Encoding.UTF8.GetBytes(text);
        var packed = new byte[BrotliEncoder.GetMaxCompressedLength(bytes.Length)];
        if (bytes.Length > MaxBytes || !BrotliEncoder.TryCompress(bytes, packed, out var length, Quality, Window))
            return text;
        var compact = Prefix + Convert.ToBase64String(packed, 0, length);
        return compact.Length < text.Length ? compact : text;
    }

    /// <summary>The text of a compact form; anything else stays as it is.</summary>
    public static string Unpack(string stored)
    {
        ArgumentNullException.ThrowIfNull(stored);
        if (!stored.StartsWith(Prefix, StringComparison.Ordinal))
            return stored;
        var packed = new byte[stored.Length];
        return Convert.TryFromBase64Chars(stored.AsSpan(Prefix.Length), packed, out var length)
            && Decompress(packed.AsMemory(0, length)) is { } text
                ? text
                : stored;
    }

    private static string? Decompress(ReadOnlyMemory<byte> packed)
    {
        using var stream = new BrotliStream(new MemoryStream(packed.ToArray()), CompressionMode.Decompress);
        using var text = new MemoryStream();
        var buffer = new byte[1 << 14];
        try
        {
            while (stream.Read(buffer) is > 0 and var read)
            {
                if (text.Length + read > MaxBytes)
                    return null;
                text.Write(buffer, 0, read);
            }
        }
        catch (Exception e) when (e is InvalidOperationException or InvalidDataException)
        {
            return null;
        }

        return text.Length == 0 ? null : Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length);
    }
}
