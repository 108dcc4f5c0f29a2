using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Integer.Values;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Integer.Operators;

/// <summary>
/// Arithmetic with a constant for every channel, normalisation, and PRelu, with a Relu or Clip after them.
/// <code>
/// y = QuantizeLinear (PRelu (DequantizeLinear (x), slope))
/// y = com.nestquant.QLinearAffine (x, x_scale, x_zero_point, , , slope, y_scale, y_zero_point)
/// </code>
/// </summary>
internal static class AffineRule
{
    /// <summary>Writes the integer form of the matched node.</summary>
    public static string? Apply(IntegerMatch match)
    {
        int? rank = match.Graph.Extents.Of(match.Node.Input[0])?.Length;
        if (ChannelFunction.Of(match.Node, match.Graph.View, rank) is not { IsScalar: false } function)
            return "it is not a function of one quantized tensor alone, nor of every channel of one";
        if (match.Graph.Source(function.Operand) is not { } source) return $"its input '{function.Operand}' is not quantized";
        if (function.WhyBroadcast(match.Graph.Extents) is { } reason) return reason;
        if (!AreUsable(function, source.Parameters.Scale, match.Result.Parameters.Scale)) return "its factors are too large for float32";
        (string scale, string zeroPoint) = match.Graph.Scalars(source.Parameters);
        (string resultScale, string resultZeroPoint) = match.Graph.Scalars(match.Result.Parameters);
        string output = match.Result.Quantizer.Output[0];
        NodeProto node = OperatorSet.QLinearAffine.NewNode(
            match.Node.Name,
            [
                (InputNames.X, source.Name), (InputNames.XScale, scale), (InputNames.XZeroPoint, zeroPoint),
                (InputNames.ChannelScale, Factors(function.Scale, "_scales", match)),
                (InputNames.ChannelBias, Factors(function.Bias, "_biases", match)),
                (InputNames.Slope, Factors(function.Slope, "_slopes", match)),
                (InputNames.YScale, resultScale), (InputNames.YZeroPoint, resultZeroPoint),
            ],
            output);
        node.Attribute.Add(AttributeProto.Int(AttributeNames.Axis, function.Axis));
        if (match.Clamp.Min > byte.MinValue) node.Attribute.Add(AttributeProto.Int(AttributeNames.ClampMin, match.Clamp.Min));
        if (match.Clamp.Max < byte.MaxValue) node.Attribute.Add(AttributeProto.Int(AttributeNames.ClampMax, match.Clamp.Max));
        OperatorDomain.Import(match.Graph.Model);
        match.Emit(node);
        return null;
    }

    /// <summary>Whether the operator takes the factors.</summary>
    private static bool AreUsable(ChannelFunction function, float scale, float resultScale)
    {
        for (int c = 0; c < function.Channels; c++)
        {
            float factor = (float)ChannelFunction.ValueOf(function.Scale, c, 1), bias = (float)ChannelFunction.ValueOf(function.Bias, c, 0);
            float slope = (float)ChannelFunction.ValueOf(function.Slope, c, 1);
            if (!float.IsFinite(AffineFactors.LargestResult(scale * factor / resultScale, bias / resultScale, slope))) return false;
        }

        return true;
    }

    /// <summary>A constant of the factors; an empty name where there are none.</summary>
    private static string Factors(double[]? values, string suffix, IntegerMatch match)
    {
        if (values is null) return "";
        float[] factors = Array.ConvertAll(values, static value => (float)value);
        TensorProto tensor = TensorProto.FromFloats(match.Graph.Names.Next(match.Node.Output[0] + suffix), [factors.Length], factors);
        match.Graph.View.AddInitializer(tensor);
        return tensor.Name;
    }
}
