using System.Security.Cryptography;
using NestQuant.Onnx.Files;

namespace NestQuant.Compiler.Cli.Output;

/// <summary>Content hashes of files.</summary>
internal static class FileHash
{
    /// <summary>SHA-256 of a file in lower-case hexadecimal.</summary>
    public static string Sha256(string path)
    {
        using FileStream stream = InputFile.Open(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
