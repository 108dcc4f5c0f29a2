using System.Buffers;

namespace NestQuant.Onnx.Files;

/// <summary>Recognises, by their first bytes, files that are often mistaken for ONNX files, for error messages.</summary>
internal static class FileSignature
{
    private static readonly SearchValues<byte> NotText =
        SearchValues.Create([.. Enumerable.Range(0, 32).Where(c => c is not ('\t' or '\n' or '\r')).Select(c => (byte)c), 127]);

    /// <summary>Whether the content is the small text file that Git LFS stores instead of a large one.</summary>
    public static bool IsGitLfsPointer(ReadOnlySpan<byte> bytes) => bytes.StartsWith("version https://git-lfs"u8);

    /// <summary>What the content looks like.</summary>
    /// <returns>A noun phrase, or null when it is not recognised.</returns>
    public static string? Describe(ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith("PK\x03\x04"u8))
            return "a zip archive (a PyTorch checkpoint, an .npz or a Keras file)";
        if (bytes is [0x89, (byte)'H', (byte)'D', (byte)'F', ..])
            return "an HDF5 file (Keras weights)";
        if (bytes is [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', ..])
            return "a NumPy array";
        if (bytes is [0x1f, 0x8b, ..])
            return "a gzip file";
        if (bytes is [0x80, >= 2 and <= 5, ..])
            return "a Python pickle (a PyTorch checkpoint)";
        if (bytes.StartsWith("GGUF"u8))
            return "a GGUF model";
        if (bytes.Length >= 8 && bytes[4..8].SequenceEqual("TFL3"u8))
            return "a TensorFlow Lite model";
        if (bytes.Length >= 8 && bytes[4..8].SequenceEqual("ORTM"u8))
            return "an ONNX Runtime .ort model";

        var text = bytes[..Math.Min(bytes.Length, 512)];
        if (text.ContainsAny(NotText))
            return null;
        var start = text.TrimStart(" \t\r\n"u8);
        return start switch
        {
            [(byte)'{' or (byte)'[', ..] => "a JSON file",
            [(byte)'<', (byte)'!' or (byte)'h' or (byte)'H', ..] => "an HTML page (a failed download?)",
            [(byte)'<', (byte)'?', ..] => "an XML file",
            _ => "a text file",
        };
    }
}
