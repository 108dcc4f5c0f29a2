using NestQuant.Onnx;
using NestQuant.Passes.Integer.Values;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.Integer.Operators;

/// <summary>
/// Concatenation of activations, each with its own parameters.
/// <code>
/// y = QuantizeLinear (Concat (DequantizeLinear (a), DequantizeLinear (b)))
/// y = com.microsoft.QLinearConcat (y_scale, y_zero_point, a, a_scale, a_zero_point, b, b_scale, b_zero_point)
/// </code>
/// Where all parameters are those of the result it stays a Concat, of uint8.
/// </summary>
internal static class ConcatRule
{
    /// <summary>Writes the integer form of the matched Concat.</summary>
    public static string? Apply(IntegerMatch match)
    {
        var sources = new QuantizedValue[match.Node.Input.Count];
        for (int input = 0; input < sources.Length; input++)
        {
            if (match.Source(input) is not { } source) return match.WhyNoSource(input);
            sources[input] = source;
        }

        QuantizationParameters result = match.Result.Parameters;
        bool copies = Array.TrueForAll(sources, source => source.Parameters.SameAs(result));
        var node = new NodeProto { Name = match.Node.Name, OpType = copies ? "Concat" : MicrosoftOperators.QLinearConcat };
        if (copies)
        {
            node.Input.AddRange(sources.Select(static source => source.Name));
        }
        else
        {
            node.Domain = MicrosoftOperators.Domain;
            (string resultScale, string resultZeroPoint) = match.Graph.Scalars(result);
            node.Input.AddRange([resultScale, resultZeroPoint]);
            foreach (QuantizedValue source in sources)
            {
                (string scale, string zeroPoint) = match.Graph.Scalars(source.Parameters);
                node.Input.AddRange([source.Name, scale, zeroPoint]);
            }

            MicrosoftOperators.Import(match.Graph.Model);
        }

        node.Attribute.AddRange(match.Node.Attribute);
        match.EmitClamped(node);
        return null;
    }
}
