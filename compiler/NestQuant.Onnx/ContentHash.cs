using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace NestQuant.Onnx;

/// <summary>Identifies the content of a tensor, whatever its storage form, or of a text.</summary>
internal static class ContentHash
{
    /// <summary>The SHA-256 of a text's UTF-8 form in lower-case hexadecimal.</summary>
    public static string Of(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>The SHA-256 of a whole file in lower-case hexadecimal.</summary>
    public static string Of(SourceFile file) => Of(new TensorContent(new FileRegion(file, 0, file.Status.Length), default));

    /// <summary>The SHA-256 of the tensor's little-endian bytes in lower-case hexadecimal; strings are hashed each after its
    /// length.</summary>
    public static string Of(TensorProto tensor) =>
        tensor.DataType.BitsPerElement() == 0 ? Of(tensor.StringData) : Of(TensorContent.Of(tensor));

    private static string Of(IEnumerable<byte[]> texts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> length = stackalloc byte[4];
        foreach (var text in texts)
        {
            BinaryPrimitives.WriteInt32LittleEndian(length, text.Length);
            hash.AppendData(length);
            hash.AppendData(text);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static string Of(TensorContent content)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var chunk in content.Chunks())
            hash.AppendData(chunk.Span);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
