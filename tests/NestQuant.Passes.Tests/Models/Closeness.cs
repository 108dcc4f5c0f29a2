using Microsoft.ML.OnnxRuntime.Tensors;

namespace NestQuant.Passes.Tests.Models;

/// <summary>Comparison of results.</summary>
internal static class Closeness
{
    /// <summary>
    /// Same type and shape; floats within <paramref name="tolerance"/> times the largest magnitude, everything else bit for bit.
    /// </summary>
    public static void AssertClose(TensorValue expected, TensorValue actual, float tolerance)
    {
        Assert.Equal(expected.Type, actual.Type);
        Assert.Equal(expected.Shape, actual.Shape);
        if (tolerance == 0 || expected.Type != TensorElementType.Float) Assert.Equal(expected.Bytes, actual.Bytes);
        else AssertClose(expected.Floats, actual.Floats, tolerance);
    }

    public static void AssertClose(float[] expected, float[] actual, float tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        float largest = expected.Length == 0 ? 0 : expected.Max(MathF.Abs);
        float worst = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(float.IsFinite(actual[i]), $"element {i} is {actual[i]}");
            worst = MathF.Max(worst, MathF.Abs(expected[i] - actual[i]));
        }

        Assert.True(
            worst <= tolerance * largest, FormattableString.Invariant($"the largest difference is {worst}, the largest value {largest}"));
    }
}
