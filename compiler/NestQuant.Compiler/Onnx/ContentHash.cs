using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace NestQuant.Compiler.Onnx;

/// <summary>Identifies the content of a tensor, whatever its storage form, or of a text.</summary>
internal static class ContentHash
{
    private const int ChunkSize = 1 << 20;

    /// <summary>The SHA-256 of a text's UTF-8 form in lower-case hexadecimal.</summary>
    public static string Of(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>The SHA-256 of what is left of a stream, in lower-case hexadecimal.</summary>
    public static string Of(Stream stream) => Convert.ToHexStringLower(SHA256.HashData(stream));

    /// <summary>The SHA-256 of the tensor's little-endian bytes in lower-case hexadecimal; of strings, each behind its length.</summary>
    public static string Of(TensorProto tensor)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        if (tensor.DataType.BitsPerElement() == 0)
        {
            Span<byte> length = stackalloc byte[4];
            foreach (var text in tensor.StringData)
            {
                BinaryPrimitives.WriteInt32LittleEndian(length, text.Length);
                hash.AppendData(length);
                hash.AppendData(text);
            }
        }
        else
        {
            var content = TensorContent.Of(tensor);
            for (var at = 0L; at < content.Length; at += ChunkSize)
                hash.AppendData(content.Memory(at, (int)Math.Min(ChunkSize, content.Length - at)).Span);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
