using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Export;

/// <summary>
/// The nested operators.
/// <code>
/// y = com.nestquant.NestedQLinearConv (x, x_scale, x_zero_point, W_high, W_low, W_scale, , B, y_scale, y_zero_point, nest_bits)
/// y = QuantizeLinear (Conv (DequantizeLinear (x), DequantizeLinear (W_int8), DequantizeLinear (B_int32)))
/// </code>
/// </summary>
internal static class NestedExport
{
    private const string EightBitActivations =
        "its product becomes MatMulNBits in ONNX Runtime, with activations of 8 bits unless the session entry "
            + "session.qdq_matmulnbits_accuracy_level is 1";

    /// <summary>NestedConv, NestedQLinearConv and NestedGroupNLConv, which are channels last, and NestedFloatConv, which is not.</summary>
    public static void Conv(NodeProto node, ExportedGraph graph)
    {
        NestedOperator nested = NestedOperator.Read(node, graph.View);
        int rank = nested.Shape.Count;
        bool isQuantized = node.Is(OperatorSet.NestedQLinearConv);
        string result = node.Output[0];
        bool isFloat = node.Is(OperatorSet.NestedFloatConv);
        string x = isFloat
            ? graph.AsCompiled(node.InputAt(InputNames.X))
            : graph.Dequantize(graph.ChannelsFirst(node.InputAt(InputNames.X), rank), graph.ParametersAt(node, InputNames.XScale));
        string weight = graph.Context.Weights.Dequantize(nested, graph, turn: false, out string? note);
        string bias = isQuantized ? QuantizedBias(node, nested, graph, ref note) : BiasOf(node, nested, graph).Name;
        string addend = isFloat ? node.InputAt(InputNames.Addend) : "";
        string output = addend.Length > 0 ? graph.Step(result, "_product")
            : isFloat ? BoundsExport.Unbounded(node, graph)
            : isQuantized ? graph.Step(result)
            : node.Is(OperatorSet.NestedConv) ? graph.Define(result, rank)
            : graph.Step(result, "_seeds");
        NodeProto conv = graph.Add("Conv", node.Name, [x, weight, bias], output);
        foreach (AttributeSchema attribute in OperatorAttributes.Convolution)
            if (node.GetAttribute(attribute.Name) is { } value) conv.Attribute.Add(value);
        if (addend.Length > 0)
        {
            string sum = BoundsExport.Unbounded(node, graph);
            graph.Add("Add", node.Name + "_add", [output, graph.AsCompiled(addend)], sum);
            output = sum;
        }

        if (isFloat) BoundsExport.Apply(node, output, graph);
        if (isQuantized) ClampExport.Quantize(node, output, graph, rank);
        if (node.Is(OperatorSet.NestedGroupNLConv))
            GroupNLExport.Expand(node, graph, output, rank, graph.Define(result, rank));
        graph.Log(node, note);
    }

    /// <summary>NestedGemm, NestedQLinearGemm and NestedFloatGemm: a Gemm where the input is a matrix, else a MatMul.</summary>
    public static void Gemm(NodeProto node, ExportedGraph graph)
    {
        NestedOperator nested = NestedOperator.Read(node, graph.View);
        bool isQuantized = node.Is(OperatorSet.NestedQLinearGemm), isMatrix = graph.Ranks.Of(node.InputAt(InputNames.X)) == 2;
        // [N, K] of a Gemm with transB has its channels first, [K, N] behind K: told by both extents, since either may be 1.
        bool isTransposed = nested.Layout.View.Channels == 1
            && nested.Shape[0] == nested.Layout.View.Groups
            && nested.Shape[1] == nested.Layout.View.Inner;
        string result = node.Output[0];
        bool isFloat = node.Is(OperatorSet.NestedFloatGemm);
        string x = graph.AsCompiled(node.InputAt(InputNames.X));
        if (!isFloat) x = graph.Dequantize(x, graph.ParametersAt(node, InputNames.XScale));
        string weight = graph.Context.Weights.Dequantize(nested, graph, turn: isTransposed && !isMatrix, out string? note);
        string output = isFloat ? BoundsExport.Unbounded(node, graph) : isQuantized ? graph.Step(result) : graph.Define(result);
        if (isMatrix)
        {
            string added = isQuantized ? QuantizedBias(node, nested, graph, ref note) : BiasOf(node, nested, graph).Name;
            NodeProto gemm = graph.Add("Gemm", node.Name, [x, weight, added], output);
            if (isTransposed) gemm.Attribute.Add(AttributeProto.Int("transB", 1));
        }
        else if (BiasOf(node, nested, graph).Name is not { Length: > 0 } bias)
        {
            graph.Add("MatMul", node.Name, [x, weight], output);
        }
        else
        {
            string product = graph.Step(result, "_product");
            graph.Add("MatMul", node.Name, [x, weight], product);
            graph.Add("Add", node.Name + "_add_bias", [product, bias], output);
        }

        if (isFloat) BoundsExport.Apply(node, output, graph);
        if (isQuantized) ClampExport.Quantize(node, output, graph, channelsLastRank: 0);
        if (isFloat && !(isTransposed && isMatrix)) note ??= EightBitActivations;
        graph.Log(node, note);
    }

    /// <summary>NestedDequantizeLinear.</summary>
    public static void Dequantize(NodeProto node, ExportedGraph graph)
    {
        NestedOperator nested = NestedOperator.Read(node, graph.View);
        string weight = graph.Context.Weights.Dequantize(nested, graph, turn: false, out string? note);
        graph.Alias(node.Output[0], new ExportedValue(weight));
        graph.Log(node, note ?? (IsMultiplied(node.Output[0], nested, graph) ? EightBitActivations : null));
    }

    /// <summary>Whether a weight is that of a product that ONNX Runtime computes on integers of its own.</summary>
    private static bool IsMultiplied(string weight, NestedOperator nested, ExportedGraph graph) =>
        nested.Shape.Count == 2
            && graph.View.Consumers(weight).Any(reader => reader.InputAt(1) == weight && (reader.Is("MatMul") || IsPlainGemm(reader)));

    private static bool IsPlainGemm(NodeProto node) =>
        node.Is("Gemm")
            && node.GetInt("transA", 0) == 0
            && node.GetInt("transB", 0) == 0
            && node.GetFloat("alpha", 1) == 1
            && (node.InputAt(2).Length == 0 || node.GetFloat("beta", 1) == 1);

    /// <summary>NestedBias.</summary>
    public static void Bias(NodeProto node, ExportedGraph graph)
    {
        NestedBits bits = NestedLevels.Of(node);
        if (graph.View.Constant(node.InputAt(InputNames.PartBias)) is not { DataType: TensorDataType.Float } rows)
            throw NestedOperator.Damaged(node, "its part bias is no float constant");
        int row = bits.IndexOf(bits.LevelAt(graph.Context.Precision)) - 1;
        string own = node.InputAt(InputNames.Bias);
        int channels = (int)(rows.ElementCount / (bits.Count - 1));
        float[] values = row < 0
            ? [.. Enumerable.Repeat(-0f, channels)]
            : [.. rows.ToFloats().Skip(row * channels).Take(channels)];
        string value = row < 0 && own.Length > 0
            ? graph.AsCompiled(own)
            : graph.Context.Add(node.Output[0], name => TensorProto.FromFloats(name, [channels], values));
        graph.Alias(node.Output[0], new ExportedValue(value));
        graph.Log(node);
    }

    /// <summary>The bias of an operator at the exported level, and its values where they are constant; an empty name for none.</summary>
    private static (string Name, float[]? Values) BiasOf(NodeProto node, NestedOperator nested, ExportedGraph graph)
    {
        string part = node.InputAt(InputNames.PartBias), own = node.InputAt(InputNames.Bias);
        TensorProto? rows = part.Length == 0 ? null
            : graph.View.Constant(part) ?? throw NestedOperator.Damaged(node, $"its part bias '{part}' is not a constant");
        if (nested.RowOf(rows, nested.Layout.Bits.LevelAt(graph.Context.Precision)) is { } row)
            return (graph.Context.Add(part, name => TensorProto.FromFloats(name, [row.Length], row)), row);
        return (graph.AsCompiled(own), graph.View.Constant(own) is { DataType: TensorDataType.Float } bias ? bias.ToFloats() : null);
    }

    /// <summary>
    /// The bias as int32 in steps of x_scale * w_scale, the form that integer convolutions add to their accumulators; as float where it
    /// would overflow or the scales are computed.
    /// </summary>
    private static string QuantizedBias(NodeProto node, NestedOperator nested, ExportedGraph graph, ref string? note)
    {
        (string name, float[]? bias) = BiasOf(node, nested, graph);
        if (name.Length == 0 || note is not null) return name;
        if (bias is not { } values
            || graph.View.Constant(node.InputAt(InputNames.XScale)) is not { DataType: TensorDataType.Float, ElementCount: 1 } xScale)
            return name;
        float[] scales = nested.Scales(nested.Layout.Bits.LevelAt(graph.Context.Precision));
        if (values.Length != scales.Length)
            throw NestedOperator.Damaged(node, $"its bias has {values.Length} elements for {scales.Length} channels");
        var products = new float[scales.Length];
        var integers = new int[scales.Length];
        for (int m = 0; m < scales.Length; m++)
        {
            products[m] = xScale.ToFloats()[0] * scales[m];
            double rounded = Math.Round(values[m] / (double)products[m], MidpointRounding.ToEven);
            // Half of the range is left to the sum that the bias is added to.
            if (!(Math.Abs(rounded) <= int.MaxValue / 2))
            {
                note = "bias in float: it overflows int32 in steps of the product of the scales";
                return name;
            }

            integers[m] = (int)rounded;
        }

        string quantized = graph.Context.Add(name + "_int32", wanted => TensorProto.FromInt32s(wanted, [integers.Length], integers));
        string scale = graph.Context.Add(name + "_int32_scale", wanted => TensorProto.FromFloats(wanted, [products.Length], products));
        string zeroPoint = graph.Context.Add(
            name + "_int32_zero_point", wanted => TensorProto.FromInt32s(wanted, [products.Length], new int[products.Length]));
        string output = graph.Context.Names.Next(name + "_dequantized");
        graph.Add("DequantizeLinear", name + "_dequantize", [quantized, scale, zeroPoint], output, AttributeProto.Int("axis", 0));
        return output;
    }
}
