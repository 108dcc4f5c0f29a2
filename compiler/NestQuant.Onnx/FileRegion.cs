namespace NestQuant.Onnx;

/// <summary>A part of a file, of any length.</summary>
/// <param name="File">The file.</param>
/// <param name="Offset">First byte, within the file's length when it was opened.</param>
/// <param name="Length">Number of bytes, within the same.</param>
internal readonly record struct FileRegion(SourceFile File, long Offset, long Length)
{
    /// <summary>Reads all of it.</summary>
    /// <exception cref="ModelException">It cannot be read, or the file has become shorter.</exception>
    public byte[] Read()
    {
        var bytes = GC.AllocateUninitializedArray<byte>((int)Length);
        File.Read(Offset, bytes);
        return bytes;
    }
}
