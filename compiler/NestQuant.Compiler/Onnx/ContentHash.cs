using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using NestQuant.Compiler.Files;

namespace NestQuant.Compiler.Onnx;

/// <summary>Identifies the content of a tensor, whatever its storage form, or of a text.</summary>
internal static class ContentHash
{
    /// <summary>The SHA-256 of a text's UTF-8 form in lower-case hexadecimal.</summary>
    public static string Of(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>The SHA-256 of a whole file in lower-case hexadecimal.</summary>
    public static string Of(SourceFile file)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var chunk in new TensorContent(new FileRegion(file, 0, file.Status.Length), default).Chunks())
            hash.AppendData(chunk.Span);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

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
            foreach (var chunk in TensorContent.Of(tensor).Chunks())
                hash.AppendData(chunk.Span);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
