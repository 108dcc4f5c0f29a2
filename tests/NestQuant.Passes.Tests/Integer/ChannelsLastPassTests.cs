using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Integer;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Integer;

/// <summary>Regions between transposes, turned, give the same bytes in ONNX Runtime.</summary>
public sealed class ChannelsLastPassTests
{
    private static readonly string[] Quantizers = ["QuantizeLinear", "DequantizeLinear"];

    /// <summary>
    /// Nodes from the uint8 values x and z, [2, 6, 5, 4], to y: what stands between a transpose to channels first and one to channels last.
    /// </summary>
    private static readonly Dictionary<string, (
        Func<GraphBuilder, GraphBuilder> Build, string[] Expected)> Forms = new(StringComparer.Ordinal)
        {
            ["lookup"] = (static g => g.Node("y = com.nestquant.QLinearLookup(x, table)"), ["QLinearLookup"]),
            ["add"] = (static g => g.Node("y = com.microsoft.QLinearAdd(x, s, o, z, s, o, s, o)"), ["QLinearAdd"]),
            ["multiply-itself"] = (static g => g.Node("y = com.microsoft.QLinearMul(x, s, o, x, s, o, s, o)"), ["QLinearMul"]),
            ["concat-channels"] = (
            static g => g.Node("y = com.microsoft.QLinearConcat(s, o, x, s, o, z, t, o)", AttributeProto.Int("axis", 1)),
            ["QLinearConcat"]),
            ["concat-rows"] = (static g => g.Node("y = Concat(x, z)", AttributeProto.Int("axis", -2)), ["Concat"]),
            ["concat-columns"] = (static g => g.Node("y = Concat(x, z)", AttributeProto.Int("axis", 3)), ["Concat"]),
            ["max-pool"] = (
            static g => g.Node("y = MaxPool(x)", Ints("kernel_shape", 3, 2), Ints("strides", 2, 1), Ints("pads", 1, 0, 1, 1)),
            ["NhwcMaxPool"]),
            ["max-pool-same"] = (
            static g => g.Node("y = MaxPool(x)", Ints("kernel_shape", 3, 3), AttributeProto.String("auto_pad", "SAME_UPPER")),
            ["NhwcMaxPool"]),
            ["max-pool-ceil"] = (
            static g => g.Node("y = MaxPool(x)", Ints("kernel_shape", 2, 2), Ints("strides", 2, 2), AttributeProto.Int("ceil_mode", 1)),
            ["NhwcMaxPool"]),
            ["max-pool-dilated"] =
                (static g => g.Node("y = MaxPool(x)", Ints("kernel_shape", 2, 2), Ints("dilations", 2, 2)), ["NhwcMaxPool"]),
            ["average-pool"] = (
            static g => g.Node("y = com.microsoft.QLinearAveragePool(x, s, o, t, o)", Ints("kernel_shape", 3, 2), Ints("pads", 1, 1, 1, 0)),
            ["QLinearAveragePool"]),
            ["global-average-pool"] = (
            static g => g.Node("y = com.microsoft.QLinearGlobalAveragePool(x, s, o, t, o)"), ["QLinearGlobalAveragePool"]),
            ["gate"] = (
            static g =>
                g.Node("p = com.microsoft.QLinearGlobalAveragePool(x, s, o, t, o)")
                    .Node("l = com.nestquant.QLinearLookup(p, table)")
                    .Node("y = com.microsoft.QLinearMul(x, s, o, l, s, o, s, o)"),
            ["QLinearGlobalAveragePool", "QLinearLookup", "QLinearMul"]),
            ["pad"] = (static g => g.Node("y = Pad(x, pads, o)"), ["Pad"]),
            ["slice-axes"] = (static g => g.Node("y = Slice(x, starts, ends, axes)"), ["Slice"]),
            ["slice-leading"] = (static g => g.Node("y = Slice(x, starts, ends)"), ["Slice"]),
            ["resize-scales"] = (static g => g.Node("y = Resize(x, , scales)", AttributeProto.String("mode", "nearest")), ["Resize"]),
            ["resize-sizes"] = (
            static g =>
                g.Node(
                    "y = Resize(x, , , sizes)",
                    AttributeProto.String("mode", "nearest"),
                    AttributeProto.String("coordinate_transformation_mode", "asymmetric")),
            ["Resize"]),
            ["split"] = (
            static g => g.Node("u, v = Split(x)", AttributeProto.Int("axis", 1)).Node("y = Concat(v, u)", AttributeProto.Int("axis", 1)),
            ["Split", "Concat"]),
            ["chain"] = (
            static g =>
                g.Node("h = com.nestquant.QLinearLookup(x, table)")
                    .Node("p = MaxPool(h)", Ints("kernel_shape", 2, 2))
                    .Node("c = MaxPool(z)", Ints("kernel_shape", 2, 2))
                    .Node("y = com.microsoft.QLinearAdd(p, s, o, c, t, o, t, o)"),
            ["QLinearLookup", "NhwcMaxPool", "NhwcMaxPool", "QLinearAdd"]),
        };

    public static TheoryData<string> Names => [.. Forms.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void ARegionIsTurned(string name)
    {
        (Func<GraphBuilder, GraphBuilder> build, string[] expected) = Forms[name];
        ModelProto model = Model(
            g => build(g).Node("yl = Transpose(y)", Ints("perm", 0, 2, 3, 1)).Node("result = DequantizeLinear(yl, s, o)"));
        PassRun run = PassRun.Preserving(new ChannelsLastPass(), model, 0, Feeds);
        Assert.Equal(expected, run.Ops.Where(static op => !Quantizers.Contains(op)));
    }

    /// <summary>One transpose in front of a region costs as much as one behind it: it goes where the tensor is smaller.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void ATransposeSinks(string name)
    {
        (Func<GraphBuilder, GraphBuilder> build, string[] expected) = Forms[name];
        PassRun run = PassRun.Preserving(new ChannelsLastPass(), Model(g => build(g).Node("result = DequantizeLinear(y, s, o)")), 0, Feeds);
        string border = name == "global-average-pool" ? "Reshape" : "Transpose";
        Assert.Equal([.. expected, border], run.Ops.Where(static op => !Quantizers.Contains(op)));
    }

    [Fact]
    public void ATransposeDoesNotRiseAboveAPool()
    {
        ModelProto model = Operands(new GraphBuilder().Input("a", 1, 3, 8, 8).Node("x = QuantizeLinear(a, s, o)")
            .Node("p = MaxPool(x)", Ints("kernel_shape", 2, 2))
            .Node("l = Transpose(p)", Ints("perm", 0, 2, 3, 1))
                .Node("result = DequantizeLinear(l, s, o)")
                .Output("result")).Model(17, 8, "com.microsoft", "com.nestquant");
        Assert.False(PassRun.Of(new ChannelsLastPass(), model).Changed);
    }

    /// <summary>A transpose of bytes does not become one of floats.</summary>
    [Fact]
    public void ATransposeStaysInFrontOfDequantizeLinear()
    {
        ModelProto model = Model(
            static g => g.Node("f = DequantizeLinear(x, s, o)").Node("result = Softmax(f)", AttributeProto.Int("axis", 1)));
        PassRun run = PassRun.Preserving(new ChannelsLastPass(), model, 0, Feeds);
        Assert.Equal(["QuantizeLinear", "Transpose", "DequantizeLinear", "Softmax"], run.Ops);
    }

    [Fact]
    public void FloatsBetweenTransposesAreTurnedToo()
    {
        ModelProto model = new GraphBuilder()
            .Input("a", 2, 5, 4, 6)
            .Input("b", 2, 5, 4, 6)
            .Node("x = Transpose(a)", Ints("perm", 0, 3, 1, 2))
            .Node("z = Transpose(b)", Ints("perm", 0, 3, 1, 2))
            .Node("r = Relu(x)")
                .Node("t = Add(r, z)")
                .Node("q, s, o = DynamicQuantizeLinear(t)")
                .Node("l = Transpose(q)", Ints("perm", 0, 2, 3, 1))
                .Node("result = DequantizeLinear(l, s, o)")
                .Output("result")
                .Model();
        PassRun run = PassRun.Preserving(new ChannelsLastPass(), model, 0, Feeds);
        Assert.Equal(["Relu", "Add", "DynamicQuantizeLinear", "DequantizeLinear"], run.Ops);
    }

    [Fact]
    public void AValueThatIsAlsoReadChannelsFirstKeepsATranspose()
    {
        ModelProto model = Model(static g => g.Node("y = com.nestquant.QLinearLookup(x, table)")
            .Node("f = Flatten(y)").Node("result = DequantizeLinear(f, s, o)")
            .Node("l = Transpose(y)", Ints("perm", 0, 2, 3, 1)).Node("second = DequantizeLinear(l, s, o)").Output("second"));
        PassRun run = PassRun.Preserving(new ChannelsLastPass(), model, 0, Feeds);
        Assert.Equal(["QLinearLookup", "Transpose", "Flatten"], run.Ops.Where(static op => !Quantizers.Contains(op)));
    }

    [Fact]
    public void AFlattenBehindAGlobalPoolNeedsNoTranspose()
    {
        ModelProto model = Model(
            static g =>
                g.Node("p = com.microsoft.QLinearGlobalAveragePool(x, s, o, t, o)")
                    .Node("f = Flatten(p)")
                    .Node("result = DequantizeLinear(f, t, o)"));
        PassRun run = PassRun.Preserving(new ChannelsLastPass(), model, 0, Feeds);
        Assert.Equal(["QLinearGlobalAveragePool", "Flatten"], run.Ops.Where(static op => !Quantizers.Contains(op)));
    }

    [Theory]
    [InlineData("y = com.nestquant.QLinearLookup(x, table)", "QLinearLookup")]
    [InlineData("y = MaxPool(x)", "NhwcMaxPool", "kernel_shape", 3)]
    [InlineData("y = Concat(x, x)", "Concat", "axis", 1)]
    public void OneSpatialAxisIsTurnedAsWell(string node, string expected, string? attribute = null, int value = 0)
    {
        AttributeProto[] attributes = attribute switch
        {
            null => [],
            "axis" => [AttributeProto.Int(attribute, value)],
            _ => [Ints(attribute, value)],
        };
        ModelProto model = Operands(new GraphBuilder().Input("a", 2, 9, 6)
            .Node("xl = QuantizeLinear(a, s, o)").Node("x = Transpose(xl)", Ints("perm", 0, 2, 1)).Node(node, attributes)
            .Node("l = Transpose(y)", Ints("perm", 0, 2, 1))
                .Node("result = DequantizeLinear(l, s, o)")
                .Output("result")).Model(17, 8, "com.microsoft", "com.nestquant");
        PassRun run = PassRun.Preserving(new ChannelsLastPass(), model, 0, ("a", TensorValue.Random(2, 9, 6)));
        Assert.Equal([expected], run.Ops.Where(static op => !Quantizers.Contains(op)));
    }

    [Fact]
    public void OtherTransposesStay()
    {
        ModelProto model = Model(
            static g =>
                g.Node("y = Transpose(x)", Ints("perm", 0, 1, 3, 2))
                    .Node("l = Transpose(y)", Ints("perm", 0, 2, 3, 1))
                    .Node("result = DequantizeLinear(l, s, o)"));
        Assert.False(PassRun.Of(new ChannelsLastPass(), model).Changed);
    }

    private static (string, TensorValue)[] Feeds => [("a", QdqGraph.Random(1, 2, 5, 4, 6)), ("b", QdqGraph.Random(2, 2, 5, 4, 6))];

    private static ModelProto Model(Func<GraphBuilder, GraphBuilder> build)
    {
        GraphBuilder graph = Operands(new GraphBuilder().Input("a", 2, 5, 4, 6).Input("b", 2, 5, 4, 6))
            .Node("xl = QuantizeLinear(a, s, o)")
                .Node("zl = QuantizeLinear(b, s, o)")
                .Node("x = Transpose(xl)", Ints("perm", 0, 3, 1, 2))
                .Node("z = Transpose(zl)", Ints("perm", 0, 3, 1, 2));
        ModelProto model = build(graph.Output("result")).Model(17, 8, "com.microsoft", "com.nestquant");
        DeadCode.Remove(model.Graph!);
        return model;
    }

    private static GraphBuilder Operands(GraphBuilder graph) => graph
        .Floats("s", [], 0.008f).Floats("t", [], 0.005f).Constant(TensorProto.FromBytes("o", TensorDataType.UInt8, [], [120]))
        .Constant(
            TensorProto.FromBytes("table", TensorDataType.UInt8, [256], [.. Enumerable.Range(0, 256).Select(static q => (byte)(q * 7))]))
        .Int64s("pads", 0, 1, 2, 0, 0, 3, 1, 1)
            .Int64s("starts", 0, 2)
            .Int64s("ends", 1, 5)
            .Int64s("axes", -1, 1)
            .Floats("scales", [4], 1, 1, 2, 3)
            .Int64s("sizes", 2, 6, 7, 9);

    private static AttributeProto Ints(string name, params long[] values) => AttributeProto.IntList(name, values);
}
