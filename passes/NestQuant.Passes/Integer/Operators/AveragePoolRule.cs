using NestQuant.Onnx;
using NestQuant.Passes.Integer.Values;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.Integer.Operators;

/// <summary>
/// Averages over windows.
/// <code>
/// y = QuantizeLinear (AveragePool (DequantizeLinear (x)))
/// y = com.microsoft.QLinearAveragePool (x, x_scale, x_zero_point, y_scale, y_zero_point)
/// </code>
/// </summary>
internal static class AveragePoolRule
{
    /// <summary>Writes the integer form of the matched AveragePool.</summary>
    public static string? Apply(IntegerMatch match)
    {
        if (WhyNone(match.Node) is { } reason) return reason;
        if (match.Source(0) is not { } source) return match.WhyNoSource(0);
        NodeProto node = Averaging(match, source, MicrosoftOperators.QLinearAveragePool);
        node.Attribute.AddRange(match.Node.Attribute.Where(static attribute => attribute.Name != "dilations"));
        match.EmitClamped(node);
        return null;
    }

    /// <summary>Why an AveragePool has no integer form; null where it has one.</summary>
    public static string? WhyNone(NodeProto pool)
    {
        bool isDilated = pool.GetInts("dilations") is { } dilations && Array.Exists(dilations, static dilation => dilation != 1);
        if (isDilated) return "there is no integer form of a dilated average";
        bool countsMore = pool.GetInt("ceil_mode", 0) != 0 && pool.GetInt("count_include_pad", 0) != 0;
        return countsMore ? "there is no integer form of an average that counts the padding that ceil_mode adds" : null;
    }

    /// <summary>A pooling node that averages <paramref name="source"/>, without attributes and output.</summary>
    internal static NodeProto Averaging(IntegerMatch match, QuantizedValue source, string operatorName)
    {
        (string scale, string zeroPoint) = match.Graph.Scalars(source.Parameters);
        (string resultScale, string resultZeroPoint) = match.Graph.Scalars(match.Result.Parameters);
        var node = new NodeProto { Domain = MicrosoftOperators.Domain, OpType = operatorName, Name = match.Node.Name };
        node.Input.AddRange([source.Name, scale, zeroPoint, resultScale, resultZeroPoint]);
        MicrosoftOperators.Import(match.Graph.Model);
        return node;
    }
}
