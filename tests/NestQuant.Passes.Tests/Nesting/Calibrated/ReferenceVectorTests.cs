using System.Text.Json;
using NestQuant.Passes.Nesting.Calibrated;

namespace NestQuant.Passes.Tests.Nesting.Calibrated;

/// <summary>
/// The integers of an independent implementation in PyTorch, and its factors, bias shifts and errors to 9 digits. Vectors/ holds its random
/// inputs (rectified mixtures of Gaussians, x_p with noise on top) and results: moments of all rows at once, targets by
/// torch.linalg.solve, dense coordinate descent on all channels together.
/// </summary>
public sealed class ReferenceVectorTests
{
    private const double Digits = 1e-9;

    [Theory]
    [InlineData("dense", 4)]
    [InlineData("affine", 2)]
    [InlineData("chain", 4)]
    [InlineData("dead", 2)]
    public void VectorsAreReproduced(string name, int levels)
    {
        string path = Path.Combine(AppContext.BaseDirectory, "Nesting", "Calibrated", "Vectors", name + ".json");
        using JsonDocument file = JsonDocument.Parse(File.ReadAllText(path));
        JsonElement root = file.RootElement;
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = 2 };
        var moments = new InputMoments(root.GetProperty("length").GetInt32());
        moments.Add(
            Values<float>(root, "inFloat"), Values<float>(root, "inPart"), root.GetProperty("rows").GetInt32(), parallel);
        Assert.Equal(levels, root.GetProperty("levels").GetArrayLength());
        foreach (JsonElement level in root.GetProperty("levels").EnumerateArray())
        {
            var problem = new RoundingProblem
            {
                Weights = Values<float>(root, "weights"),
                Floors = Values<sbyte>(level, "floors"),
                Largest = level.GetProperty("largest").GetInt32(),
                Units = Values<double>(level, "units"),
                Zeros = Values<double>(level, "zeros"),
                FitsScale = level.GetProperty("fits").GetBoolean(),
            };
            RoundingResult result = CalibratedRounding.Round(moments, problem, parallel);
            Assert.Equal(Values<sbyte>(level, "integers"), result.Integers);
            AssertClose(Values<double>(level, "alpha"), result.ScaleFactors);
            AssertClose(Values<double>(level, "bias"), CalibrationCase.MeanShifts(moments, problem, result));
            AssertClose(Values<double>(level, "error"), result.Errors);
            AssertClose(Values<double>(level, "signal"), result.Signals);
        }
    }

    private static void AssertClose(double[] expected, double[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], Math.Abs(expected[i]) * Digits);
    }

    private static T[] Values<T>(JsonElement parent, string name) => parent.GetProperty(name).Deserialize<T[]>()!;
}
