using NestQuant.Data;
using NestQuant.Passes.GroupNL.Calibration;

namespace NestQuant.Passes.Tests.GroupNL.Calibration;

/// <summary>Arrays as a data set on disk, for the life of a test.</summary>
internal sealed class CalibrationData : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nestquant-calibration-");

    public CalibrationData(long[] shape, float[] values)
    {
        string path = Path.Combine(_folder.FullName, "data.npy");
        NpyArray.FromFloats(shape, values).Write(path);
        Calibration = new GroupNLCalibration(Dataset.Open(path)) { Ridge = 1e-9 };
    }

    public GroupNLCalibration Calibration { get; }

    /// <summary>Two channels, the cosine and the sine of an angle per pixel: vectors of length 1.</summary>
    public static CalibrationData UnitVectors(int images, int height, int width) =>
        new([images, 2, height, width], Vectors(images, height * width));

    public static float[] Vectors(int images, int pixels)
    {
        var random = new Random(11);
        var values = new float[images * 2 * pixels];
        for (int image = 0; image < images; image++)
        {
            for (int pixel = 0; pixel < pixels; pixel++)
            {
                (double sine, double cosine) = Math.SinCos(random.NextDouble() * 2 * Math.PI);
                values[(image * 2 * pixels) + pixel] = (float)cosine;
                values[(((image * 2) + 1) * pixels) + pixel] = (float)sine;
            }
        }

        return values;
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
