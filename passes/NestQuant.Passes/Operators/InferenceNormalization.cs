using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Operators;

/// <summary>BatchNormalization at inference: a factor and an offset for every channel.</summary>
internal static class InferenceNormalization
{
    /// <summary>Why a BatchNormalization is not just a scale and shift of every channel; null when it is.</summary>
    /// <param name="norm">The node.</param>
    /// <param name="opset">Version of the default operator set.</param>
    public static string? WhyTraining(NodeProto norm, long opset)
    {
        if (norm.GetInt("training_mode", 0) != 0) return "it is in training mode";
        if (opset < 7 && norm.GetInt("is_test", 0) == 0) return "it is in training mode (is_test is 0)";
        if (norm.GetInt("spatial", 1) == 0) return "it normalises every position separately (spatial is 0)";
        return norm.Output.Skip(1).Any(static output => output.Length > 0) ? "it outputs running statistics" : null;
    }

    /// <summary>scale / sqrt(variance + epsilon) per channel.</summary>
    public static double[] Factors(float[] scale, float[] variance, float epsilon)
    {
        var factors = new double[scale.Length];
        for (int m = 0; m < factors.Length; m++) factors[m] = scale[m] / Math.Sqrt((double)variance[m] + epsilon);
        return factors;
    }
}
