namespace NestQuant.Onnx;

/// <summary>A file that was written.</summary>
/// <param name="Path">Path of the file, in the folder as given by the caller.</param>
/// <param name="Bytes">Its length in bytes.</param>
/// <param name="Sha256">SHA-256 of a data file as its model's <c>nestquant.files</c> entry gives it; null elsewhere.</param>
public sealed record SavedFile(string Path, long Bytes, string? Sha256 = null);
