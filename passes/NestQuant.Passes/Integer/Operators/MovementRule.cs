using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Integer.Values;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.Integer.Operators;

/// <summary>
/// Operators that move or select elements: they do the same to integers.
/// <code>
/// y = QuantizeLinear (Reshape (DequantizeLinear (x), shape))
/// y = Reshape (x, shape)
/// </code>
/// Where the result has other parameters than the input, a table after the operator maps the integers to those of the result.
/// </summary>
internal static class MovementRule
{
    /// <summary>First operator set whose MaxPool takes uint8.</summary>
    private const long FirstOpsetOfIntegerMaxPool = 12;

    /// <summary>First operator set whose Pad and Resize take their parameters as inputs, and uint8.</summary>
    private const long FirstOpsetOfIntegerPad = 11;

    /// <summary>Moves the matched node to the integers.</summary>
    public static string? Apply(IntegerMatch match) =>
        match.Source(0) is { } source ? Move(match, source, Copy(match, source)) : match.WhyNoSource(0);

    /// <summary>The same for MaxPool: the largest integer stands for the largest value.</summary>
    public static string? ApplyToMaxPool(IntegerMatch match)
    {
        if (match.Graph.Model.OpsetVersion() < FirstOpsetOfIntegerMaxPool)
            return $"MaxPool takes integers from operator set {FirstOpsetOfIntegerMaxPool} on";
        return Apply(match);
    }

    /// <summary>The same for Resize that picks the nearest element; <see cref="LinearResizeRule"/> for one that interpolates.</summary>
    public static string? ApplyToResize(IntegerMatch match)
    {
        if (match.Graph.Model.OpsetVersion() < FirstOpsetOfIntegerPad)
            return $"Resize takes integers from operator set {FirstOpsetOfIntegerPad} on";
        string mode = match.Node.GetString("mode", "nearest");
        if (mode == "linear") return LinearResizeRule.Apply(match);
        if (mode != "nearest") return "it interpolates";
        return match.Node.GetString("coordinate_transformation_mode", "") == "tf_crop_and_resize"
            ? "it extrapolates with a constant"
            : Apply(match);
    }

    /// <summary>The same for Pad, whose constant is quantized.</summary>
    public static string? ApplyToPad(IntegerMatch match)
    {
        if (match.Graph.Model.OpsetVersion() < FirstOpsetOfIntegerPad)
            return $"Pad takes integers from operator set {FirstOpsetOfIntegerPad} on";
        if (match.Source(0) is not { } source) return match.WhyNoSource(0);
        NodeProto node = Copy(match, source);
        if (node.GetString("mode", "constant") != "constant") return Move(match, source, node);
        float? value = node.InputAt(2).Length == 0 ? 0 : ScalarConstant.Float(match.Graph.View, node.Input[2]);
        if (value is not { } constant) return "its padding value is not constant";
        byte quantized = source.Parameters.Quantize(constant);
        if (match.Result.Parameters.Quantize(source.Parameters.Dequantize(quantized)) != match.Result.Parameters.Quantize(constant))
            return $"its padding value is out of the range of '{source.Name}'";
        while (node.Input.Count < 3) node.Input.Add("");
        node.Input[2] = match.Graph.ByteScalar(quantized, match.Result.Quantizer.Output[0] + "_pad_value");
        return Move(match, source, node);
    }

    private static NodeProto Copy(IntegerMatch match, QuantizedValue source)
    {
        var node = new NodeProto { OpType = match.Node.OpType, Name = match.Node.Name };
        node.Input.AddRange([source.Name, .. match.Node.Input.Skip(1)]);
        node.Attribute.AddRange(match.Node.Attribute);
        return node;
    }

    /// <summary>Emits a node that moves elements of an input, and tables where its results have other parameters.</summary>
    /// <param name="match">The match.</param>
    /// <param name="source">The input.</param>
    /// <param name="moved">The node, whose results are still to be named.</param>
    internal static string? Move(IntegerMatch match, QuantizedValue source, NodeProto moved)
    {
        var tables = new List<NodeProto>();
        moved.Output.Clear();
        moved.Output.AddRange(match.Node.Output.Select(static _ => ""));
        foreach (QuantizedResult result in match.Results)
        {
            string output = result.Quantizer.Output[0];
            byte[] integers =
            [
                .. PointwiseValue.Of(source).Quantize(result.Parameters)!.Select(q => Math.Clamp(q, match.Clamp.Min, match.Clamp.Max))
            ];
            bool sameParameters = LookupTables.IsIdentity(integers);
            moved.Output[result.Output] = sameParameters ? output : match.Graph.Names.Next(output + "_moved");
            if (!sameParameters)
                tables.Add(
                    match.Tables.Lookup(moved.Output[result.Output], output, integers, "", match.Graph.Names.Next(output + "_requantize")));
        }

        // An unused result of Split keeps its position, since Split has one size per output. The indices of a MaxPool's maxima are
        // optional.
        if (!moved.Is("Split")) while (moved.Output[^1].Length == 0) moved.Output.RemoveAt(moved.Output.Count - 1);
        for (int i = 0; i < moved.Output.Count; i++)
            if (moved.Output[i].Length == 0) moved.Output[i] = match.Graph.Names.Next(match.Node.Output[i] + "_quantized");
        match.Emit([moved, .. tables]);
        return null;
    }
}
