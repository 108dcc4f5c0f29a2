using NestQuant.Data;

namespace NestQuant.Passes.Tests.Calibration;

/// <summary>An array as a data set on disk, for the life of a test.</summary>
internal sealed class ArrayData : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nestquant-calibration-");

    public ArrayData(long[] shape, params float[] values)
    {
        string path = Path.Combine(_folder.FullName, "data.npy");
        NpyArray.FromFloats(shape, values).Write(path);
        Set = Dataset.Open(path);
    }

    public Dataset Set { get; }

    public void Dispose() => _folder.Delete(recursive: true);
}
