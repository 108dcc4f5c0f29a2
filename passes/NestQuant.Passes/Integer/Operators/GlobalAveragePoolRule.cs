using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.Integer.Operators;

/// <summary>
/// Averages over whole maps, also in the form of ReduceMean.
/// <code>
/// y = QuantizeLinear (GlobalAveragePool (DequantizeLinear (x)))
/// y = com.microsoft.QLinearGlobalAveragePool (x, x_scale, x_zero_point, y_scale, y_zero_point)
/// </code>
/// </summary>
internal static class GlobalAveragePoolRule
{
    /// <summary>Writes the integer form of the matched GlobalAveragePool.</summary>
    public static string? Apply(IntegerMatch match)
    {
        if (match.Source(0) is not { } source) return match.WhyNoSource(0);
        match.EmitClamped(AveragePoolRule.Averaging(match, source, MicrosoftOperators.QLinearGlobalAveragePool));
        return null;
    }

    /// <summary>Writes the integer form of a matched ReduceMean over all spatial axes.</summary>
    public static string? ApplyToMean(IntegerMatch match)
    {
        if (match.Source(0) is not { } source) return match.WhyNoSource(0);
        if (match.Ranks.Of(source.Name) is not ({ } rank and > 2)) return "its input is not known to have spatial axes";
        long[]? axes = match.Node.GetInts("axes") ?? match.Graph.View.Constant(match.Node.InputAt(1))?.ToInt64s();
        bool isSpatial = axes is not null
            && axes.Select(axis => axis < 0 ? axis + rank : axis)
                .Order()
                .SequenceEqual(Enumerable.Range(2, rank - 2).Select(static axis => (long)axis));
        if (!match.Clamp.IsSaturation) return "an activation bounds its result";
        if (!isSpatial) return "its axes are not all the spatial ones";
        NodeProto node = AveragePoolRule.Averaging(match, source, MicrosoftOperators.QLinearGlobalAveragePool);
        if (match.Node.GetInt("keepdims", 1) != 0)
        {
            match.EmitClamped(node);
            return null;
        }

        // The spatial axes that are left have extent 1 each: [N, C, 1, 1] and [N, C] are the same bytes.
        string output = match.Result.Quantizer.Output[0], pooled = match.Graph.Names.Next(output + "_pooled");
        var flatten = new NodeProto { OpType = "Flatten", Name = match.Graph.Names.Next(output + "_flatten") };
        flatten.Attribute.Add(AttributeProto.Int("axis", 1));
        flatten.Input.Add(pooled);
        node.Output.Add(pooled);
        flatten.Output.Add(output);
        match.Emit(node, flatten);
        return null;
    }
}
