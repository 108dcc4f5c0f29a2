using System.Security.Cryptography;

namespace NestQuant.Onnx.Files;

/// <summary>Content hashes of files.</summary>
internal static class FileHash
{
    /// <summary>SHA-256 of a file in lower-case hexadecimal.</summary>
    /// <exception cref="ModelException">It is missing, not readable or not a regular file.</exception>
    public static string Sha256(string path)
    {
        using FileStream stream = InputFile.Open(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
