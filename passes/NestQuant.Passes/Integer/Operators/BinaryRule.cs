using NestQuant.Onnx;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.Integer.Operators;

/// <summary>
/// Add and Mul of two activations, with a Relu or Clip after them.
/// <code>
/// y = QuantizeLinear (Relu (Add (DequantizeLinear (a), DequantizeLinear (b))))
/// y = com.microsoft.QLinearAdd (a, ..., b, ..., y_scale, y_zero_point)
/// </code>
/// </summary>
internal static class BinaryRule
{
    /// <summary>Replaces the matched node by <paramref name="operatorName"/>.</summary>
    public static string? Apply(IntegerMatch match, string operatorName)
    {
        var node = new NodeProto { Domain = MicrosoftOperators.Domain, OpType = operatorName, Name = match.Node.Name };
        for (int input = 0; input < 2; input++)
        {
            if (match.Source(input) is not { } source) return match.WhyNoSource(input);
            (string scale, string zeroPoint) = match.Graph.Scalars(source.Parameters);
            node.Input.AddRange([source.Name, scale, zeroPoint]);
        }

        (string resultScale, string resultZeroPoint) = match.Graph.Scalars(match.Result.Parameters);
        node.Input.AddRange([resultScale, resultZeroPoint]);
        MicrosoftOperators.Import(match.Graph.Model);
        match.EmitClamped(node);
        return null;
    }
}
