using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Nesting;

/// <summary>
/// The float model that a nested model stands for: the source with each nested weight replaced by what its operands decode to.
/// </summary>
internal static class DequantizedModel
{
    /// <summary>Puts the weights that <paramref name="nested"/> holds, at full or part precision, into a copy of its source.</summary>
    public static ModelProto Of(ModelProto source, ModelProto nested, bool part) => Of(source, nested, part ? 1 : 8);

    /// <summary>Puts the weights that <paramref name="nested"/> holds, at a precision, into a copy of its source.</summary>
    public static ModelProto Of(ModelProto source, ModelProto nested, int precision)
    {
        ModelProto model = ModelRunner.Clone(source);
        foreach (NestedOperator operation in NestedOperator.Of(nested))
        {
            NodeProto node = operation.Node;
            string high = operation.High.Name;
            string weight = high[..high.LastIndexOf("_high", StringComparison.Ordinal)];
            // A Gemm's alpha is part of the scale that its nested form reads.
            float alpha = node.OpType is "NestedGemm" or "NestedQLinearGemm" or "NestedFloatGemm"
                ? source.AllNodes().FirstOrDefault(reader => reader.InputAt(1) == weight)?.GetFloat("alpha", 1) ?? 1
                : 1;
            Replace(model.Graph!, weight, Array.ConvertAll(Decode(operation, precision), value => value / alpha));
        }

        return model;
    }

    /// <summary>What DynamicQuantizeLinear and DequantizeLinear of ONNX Runtime make of a tensor.</summary>
    public static TensorValue Quantized(TensorValue x)
    {
        ModelProto model = new GraphBuilder()
            .Input("x", x.Shape)
            .Node("q, s, z = DynamicQuantizeLinear(x)")
            .Node("y = DequantizeLinear(q, s, z)")
            .Output("y")
            .Model();
        return ModelRunner.Run(model, ("x", x))["y"];
    }

    private static float[] Decode(NestedOperator nested, int precision)
    {
        NestedBits bits = nested.Layout.Bits;
        ChannelView view = nested.Layout.View;
        int level = bits.LevelAt(precision);
        int[] integers = Array.ConvertAll(nested.HighValues(), static value => (int)value);
        int[] ascending = [.. bits.Levels.Reverse()];
        for (int step = 1; ascending[step - 1] < level; step++)
        {
            sbyte[] low = nested.LowValues(step)!;
            for (int i = 0; i < low.Length; i++) integers[i] = (integers[i] << (ascending[step] - ascending[step - 1])) + low[i];
        }

        float[] scales = nested.Scale.ToFloats();
        int row = Array.IndexOf([.. bits.Levels], level) - 1;
        if (nested.PartScale is { } part && row >= 0) scales = [.. part.ToFloats().Skip(row * scales.Length).Take(scales.Length)];
        int[] zeroPoints = nested.ZeroPoint?.ToInt32s() ?? new int[scales.Length];
        return
        [
            .. integers.Select((integer, i) =>
            {
                int channel = view.OutputChannelOfRow(i / view.Taps);
                return ((integer << (bits.Full - level)) - zeroPoints[channel]) * scales[channel];
            }),
        ];
    }

    private static void Replace(GraphProto graph, string weight, float[] values)
    {
        int index = graph.Initializer.FindIndex(tensor => tensor.Name == weight);
        if (index >= 0) graph.Initializer[index] = TensorProto.FromFloats(weight, graph.Initializer[index].Dims.ToArray(), values);
        foreach (GraphProto body in graph.Node.SelectMany(static node => node.Subgraphs())) Replace(body, weight, values);
    }
}
