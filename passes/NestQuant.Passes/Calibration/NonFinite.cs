using System.Numerics.Tensors;

namespace NestQuant.Passes.Calibration;

/// <summary>Finds NaN and infinite values, and names them.</summary>
internal static class NonFinite
{
    /// <summary>Whether a value is NaN or infinite.</summary>
    public static bool IsIn(ReadOnlySpan<float> values) => !values.IsEmpty && !TensorPrimitives.IsFiniteAll(values);

    /// <summary>Position of the first value that is NaN or infinite; -1 when there is none.</summary>
    public static int IndexIn(ReadOnlySpan<float> values)
    {
        for (int i = 0; i < values.Length; i++)
            if (!float.IsFinite(values[i])) return i;
        return -1;
    }

    /// <summary><c>NaN</c>, <c>Infinity</c> or <c>-Infinity</c>.</summary>
    public static string Name(float value) => float.IsNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}
