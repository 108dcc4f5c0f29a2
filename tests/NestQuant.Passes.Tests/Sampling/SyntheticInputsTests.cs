using NestQuant.Data;
using NestQuant.Onnx;
using NestQuant.Passes.Sampling;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Sampling;

/// <summary>Which values a model takes follows from how it reads its inputs.</summary>
public sealed class SyntheticInputsTests
{
    private static readonly Dictionary<string, int> NoExtents = [];

    [Theory]
    [InlineData(6, "y = Gather(T, x)")]
    [InlineData(6, "c = Cast(x)", "u = Unsqueeze(c, one)", "s = Reshape(u, flat)", "y = Gather(T, s)")]
    [InlineData(3, "y = Gather(T, x)", "z = Gather(S, x)")]
    [InlineData(6, "d = DequantizeLinear(Q, scale)", "y = Gather(d, x)")]
    [InlineData(1, "f = ToFloat(x)", "y = Mul(f, f)")]
    public void Token_ids_stay_within_the_smallest_table(int rows, params string[] nodes)
    {
        GraphBuilder graph = new GraphBuilder()
            .Input(TensorDataType.Int64, "x", -1, 4)
            .Random("T", 6, 2)
            .Random("S", 3, 2)
            .Constant(TensorProto.FromBytes("Q", TensorDataType.Int8, [6, 2], new byte[12]))
            .Floats("scale", [], 0.5f)
            .Int64s("one", 1)
            .Int64s("flat", -1);
        foreach (string node in nodes)
        {
            bool toFloat = node.Contains("ToFloat", StringComparison.Ordinal);
            AttributeProto[] to = toFloat || node.Contains("Cast", StringComparison.Ordinal)
                ? [AttributeProto.Int("to", (long)(toFloat ? TensorDataType.Float : TensorDataType.Int32))]
                : [];
            graph.Node(node.Replace("ToFloat", "Cast", StringComparison.Ordinal), to);
        }

        ModelProto model = graph.Output("y").Model();
        ModelRunner.Open(model).Dispose();
        SyntheticInput input = Assert.Single(SyntheticInputs.Of(model, NoExtents, batch: 2));

        Assert.Equal((0, rows - 1), (input.Low, input.High));
        Assert.Equal([2, 4], input.Shape);
    }

    [Fact]
    public void A_table_may_lie_in_a_branch()
    {
        ModelProto model = new GraphBuilder()
            .Input(TensorDataType.Int64, "x", -1)
            .If(
                "y",
                new GraphBuilder("then").Random("T", 5, 2).Node("t = Gather(T, x)").Output("t"),
                new GraphBuilder("else").Random("E", 4, 2).Node("e = Gather(E, x)").Output("e"))
            .Output("y")
            .Model();

        IReadOnlyList<SyntheticInput> inputs = SyntheticInputs.Of(model, NoExtents, batch: 1);

        Assert.Equal([(0.0, 3.0), (0.0, 1.0)], inputs.Select(input => (input.Low, input.High)));
    }

    [Fact]
    public void Masks_are_ones_and_the_rest_goes_by_type()
    {
        GraphBuilder graph = new GraphBuilder()
            .Input(TensorDataType.Int64, "attention_mask", -1, 2)
            .Input(TensorDataType.Float, "Mask", 2)
            .Input(TensorDataType.Float, "pixels", 2)
            .Input(TensorDataType.UInt8, "bytes", 2)
            .Input(TensorDataType.Int64, "unknown", 2);
        foreach (ValueInfoProto input in graph.Graph.Input.ToArray()) graph.Node($"{input.Name}_out = Identity({input.Name})");
        ModelProto model = graph.Output("pixels_out").Model();

        IReadOnlyList<SyntheticInput> inputs = SyntheticInputs.Of(model, NoExtents, batch: 1);

        Assert.Equal([(1.0, 1.0), (1, 1), (-1, 1), (0, 255), (0, 0)], inputs.Select(input => (input.Low, input.High)));
    }
}
