using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Integer.Values;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.Integer.Operators;

/// <summary>
/// Concatenation of activations, each with its own parameters, and of constants, which get those of the result.
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
        QuantizationParameters result = match.Result.Parameters;
        var sources = new QuantizedValue[match.Node.Input.Count];
        for (int input = 0; input < sources.Length; input++)
            if (match.Source(input) is { } source) sources[input] = source;
            else if (Constant(match, input) is null) return match.WhyNoSource(input);

        for (int input = 0; input < sources.Length; input++)
            sources[input] ??= new QuantizedValue(Quantized(Constant(match, input)!, match), result);

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

    private static TensorProto? Constant(IntegerMatch match, int input) =>
        match.Graph.View.Constant(match.Node.Input[input]) is { DataType: TensorDataType.Float } constant ? constant : null;

    /// <summary>The integers of a constant in the result's scale.</summary>
    private static string Quantized(TensorProto constant, IntegerMatch match)
    {
        QuantizationParameters result = match.Result.Parameters;
        byte[] integers = Array.ConvertAll(constant.ToFloats(), value => result.Quantize(value));
        TensorProto tensor = TensorProto.FromBytes(
            match.Graph.Names.Next(constant.Name + "_quantized"), TensorDataType.UInt8, [.. constant.Dims], integers);
        match.Graph.View.AddInitializer(tensor);
        return tensor.Name;
    }
}
