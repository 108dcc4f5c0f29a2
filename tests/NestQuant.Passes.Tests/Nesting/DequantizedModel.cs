using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;
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
        Dictionary<string, TensorProto> operands = nested.Graph!.Initializer.ToDictionary(
            static tensor => tensor.Name, StringComparer.Ordinal);
        foreach (NodeProto node in nested.AllNodes().Where(SchemaNodes.IsNested))
        {
            string high = node.InputAt(InputNames.WeightHigh);
            string weight = high[..high.LastIndexOf("_high", StringComparison.Ordinal)];
            // A Gemm's alpha is part of the scale that its nested form reads.
            float alpha = node.OpType is "NestedGemm" or "NestedQLinearGemm"
                ? source.AllNodes().First(reader => reader.InputAt(1) == weight).GetFloat("alpha", 1)
                : 1;
            Replace(model.Graph!, weight, Array.ConvertAll(Decode(node, operands, precision), value => value / alpha));
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

    private static float[] Decode(NodeProto node, Dictionary<string, TensorProto> operands, int precision)
    {
        long[] shape = node.GetInts("shape")!;
        ChannelView view = node.GetInts("channel_view") is [var groups, var inner, var channels, var taps]
            ? new ChannelView((int)groups, (int)inner, (int)channels, (int)taps)
            : new ChannelView((int)shape[0], (int)shape[1], 1, (int)shape.Skip(2).Aggregate(1L, static (product, dim) => product * dim));
        var layout = new NestedLayout(new NestedBits((int)node.GetInt("n", 0), (int)node.GetInt("h", 0)), view);
        sbyte[][] values = NestedPacker.Unpack(
            layout, Operand(InputNames.WeightHigh)!.GetBytes(), Operand(InputNames.WeightLow)!.GetBytes());
        float[] scales = Operand(InputNames.WeightScale)!.ToFloats();
        int[] zeroPoints = Operand(InputNames.WeightZeroPoint)?.ToInt32s() ?? new int[scales.Length];
        bool isPart = precision < layout.Bits.Full;
        var weights = new float[view.Count];
        for (int i = 0; i < weights.Length; i++)
        {
            int channel = view.OutputChannelOfRow(i / view.Taps);
            int integer = (values[0][i] << layout.Bits.Shift) + (isPart ? 0 : values[1][i]);
            weights[i] = (integer - zeroPoints[channel]) * scales[channel];
        }

        return weights;

        TensorProto? Operand(string input) => operands.GetValueOrDefault(node.InputAt(input));
    }

    private static void Replace(GraphProto graph, string weight, float[] values)
    {
        int index = graph.Initializer.FindIndex(tensor => tensor.Name == weight);
        if (index >= 0) graph.Initializer[index] = TensorProto.FromFloats(weight, graph.Initializer[index].Dims.ToArray(), values);
        foreach (GraphProto body in graph.Node.SelectMany(static node => node.Subgraphs())) Replace(body, weight, values);
    }
}
