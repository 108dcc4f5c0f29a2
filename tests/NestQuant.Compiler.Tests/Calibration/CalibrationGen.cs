using System.Text;
using CsCheck;
using NestQuant.Compiler.Calibration;

namespace NestQuant.Compiler.Tests.Calibration;

/// <summary>Values of activations: of any magnitude, one-sided or not, with zeros of both signs.</summary>
internal static class CalibrationGen
{
    private static readonly float[] Special = [0f, -0f, float.Epsilon, -float.Epsilon, float.MaxValue, float.MinValue, 1f, -1f, 2f, -2f];

    /// <summary>One value of any magnitude; subnormal ones and the largest among them.</summary>
    private static readonly Gen<float> Any = Gen.OneOf(
        Gen.Float[-1, 1],
        Gen.Float[-1e-3f, 1e3f],
        Gen.Float,
        Gen.Int[0, Special.Length - 1].Select(i => Special[i])).Where(float.IsFinite);

    private static readonly Gen<float> Moderate = Gen.OneOf(Gen.Float[-4, 6], Gen.Float[-0.1f, 0.1f], Gen.Const(0f), Gen.Float[-40, 60]);

    /// <summary>At least one value.</summary>
    public static Gen<float[]> Values =>
        Gen.OneOf(Any.Array[1, 60], Moderate.Array[1, 400], Gen.Float[0, 6].Array[1, 200], Gen.Float[-7, -6].Array[1, 200]);

    public static ActivationStatistics Statistics(params ReadOnlySpan<float> values)
    {
        var statistics = new ActivationStatistics();
        statistics.Add(values);
        return statistics;
    }

    /// <summary>Standard normal values, and one outlier.</summary>
    public static float[] Normal(int count, float outlier)
    {
        var random = new Random(5);
        float[] values = new float[count];
        for (int i = 1; i < count; i++)
            values[i] = (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        values[0] = outlier;
        return values;
    }

    /// <summary>Everything that statistics hold, as one text.</summary>
    public static string Text(ActivationStatistics statistics) => Text(("a", statistics));

    public static string Text(params (string Name, ActivationStatistics Statistics)[] values) => Text(Model(values));

    /// <summary>Statistics as their file has them.</summary>
    public static string Text(CalibrationStatistics statistics)
    {
        using var output = new MemoryStream();
        CalibrationJson.Write(output, statistics, "0.0.0");
        return Encoding.UTF8.GetString(output.ToArray());
    }

    public static CalibrationStatistics Model(params (string Name, ActivationStatistics Statistics)[] values) =>
        new("ab12", 3, values.Select(value => KeyValuePair.Create(value.Name, value.Statistics)));
}
