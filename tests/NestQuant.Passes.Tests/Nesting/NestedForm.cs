using NestQuant.Onnx;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Nesting;

/// <summary>
/// A small model for every form of weight that nests: the constants are called W (and V), the quantized input x, the result y.
/// </summary>
/// <param name="Op">What executes it with dynamic activations.</param>
/// <param name="Model">Makes the model.</param>
/// <param name="Feeds">Its inputs, x first.</param>
internal sealed record NestedForm(string Op, Func<ModelProto> Model, params (string Name, TensorValue Value)[] Feeds)
{
    private const string Conv = "NestedConv", Gemm = "NestedGemm", WeightOnly = "NestedDequantizeLinear", Gather = "NestedGather";

    /// <summary>What executes it with float activations, or makes its weight float.</summary>
    public string FloatOp => Op switch
    {
        Gather => Gather,
        WeightOnly => WeightOnly,
        _ => HasFewOutputsPerGroup ? WeightOnly : Op.Replace("Nested", "NestedFloat", StringComparison.Ordinal),
    };

    /// <summary>Whether it is a convolution that no float operator is made for.</summary>
    public bool HasFewOutputsPerGroup { get; init; }

    /// <summary>All forms by name.</summary>
    public static IReadOnlyDictionary<string, NestedForm> All { get; } = new Dictionary<string, NestedForm>(StringComparer.Ordinal)
    {
        ["conv-1d"] = Convolution(Conv, [2, 3, 11], [5, 3, 3], "y = Conv(x, W)"),
        ["conv-2d"] = Convolution(Conv, [2, 3, 7, 6], [5, 3, 3, 2], "y = Conv(x, W)"),
        ["conv-3d"] = Convolution(WeightOnly, [1, 2, 4, 5, 4], [3, 2, 2, 3, 2], "y = Conv(x, W)"),
        ["conv-bias"] = Convolution(Conv, [1, 3, 7, 7], [40, 3, 3, 3], "y = Conv(x, W, B)"),
        ["conv-1x1"] = Convolution(Conv, [1, 37, 5, 5], [33, 37, 1, 1], "y = Conv(x, W, B)"),
        ["conv-strides-pads"] = Convolution(
            Conv, [1, 3, 9, 8], [4, 3, 3, 3], "y = Conv(x, W)", Ints("strides", 2, 3), Ints("pads", 1, 0, 2, 1)),
        ["conv-dilations"] = Convolution(Conv, [1, 3, 9, 9], [4, 3, 3, 3], "y = Conv(x, W)", Ints("dilations", 2, 3)),
        ["conv-dilated-1d"] = Convolution(
            Conv, [1, 3, 19], [4, 3, 3], "y = Conv(x, W)", Ints("dilations", 4), Ints("pads", 4, 4), Ints("strides", 2)),
        ["conv-groups"] = Convolution(Conv, [1, 6, 5, 5], [9, 2, 3, 3], "y = Conv(x, W, B)", Int("group", 3)) with
        {
            HasFewOutputsPerGroup = true,
        },
        ["conv-wide-groups"] = Convolution(Conv, [1, 6, 5, 5], [10, 3, 3, 3], "y = Conv(x, W, B)", Int("group", 2)),
        ["conv-depthwise"] = Convolution(
            Conv, [2, 40, 6, 6], [40, 1, 3, 3], "y = Conv(x, W, B)", Int("group", 40), Ints("pads", 1, 1, 1, 1)),
        ["conv-depthwise-multiplier"] = Convolution(
            Conv, [1, 5, 6, 6], [10, 1, 3, 3], "y = Conv(x, W)", Int("group", 5), Ints("strides", 2, 2)),
        ["conv-depthwise-1x1"] = Convolution(Conv, [1, 5, 6, 6], [10, 1, 1, 1], "y = Conv(x, W)", Int("group", 5)) with
        {
            HasFewOutputsPerGroup = true,
        },
        ["conv-same-upper"] = Convolution(
            Conv, [1, 3, 8, 8], [4, 3, 3, 2], "y = Conv(x, W)", Text("auto_pad", "SAME_UPPER"), Ints("strides", 2, 1)),
        ["conv-same-lower"] = Convolution(
            Conv, [1, 3, 8, 8], [4, 3, 2, 4], "y = Conv(x, W)", Text("auto_pad", "SAME_LOWER"), Ints("strides", 1, 2)),
        ["conv-valid"] = Convolution(Conv, [1, 3, 8, 8], [4, 3, 3, 3], "y = Conv(x, W)", Text("auto_pad", "VALID"), Ints("strides", 2, 2)),
        ["conv-kernel-shape"] = Convolution(
            Conv, [1, 3, 8, 8], [4, 3, 3, 3], "y = Conv(x, W)", Ints("kernel_shape", 3, 3), Text("auto_pad", "NOTSET"), Int("group", 1)),
        ["conv-transpose"] = Convolution(WeightOnly, [1, 4, 5, 5], [4, 3, 2, 2], "y = ConvTranspose(x, W)", Ints("strides", 2, 2)),
        ["conv-transpose-groups"] = Convolution(
            WeightOnly,
            [1, 4, 5, 5],
            [4, 3, 3, 3],
            "y = ConvTranspose(x, W)",
            Int("group", 2),
            Ints("strides", 2, 2),
            Ints("output_padding", 1, 0),
            Ints("pads", 1, 1, 1, 1)),
        ["gemm"] = Product(Gemm, [3, 20], [20, 35], "y = Gemm(x, W)"),
        ["gemm-trans-b"] = Product(Gemm, [3, 20], [35, 20], "y = Gemm(x, W, B)", Int("transB", 1)),
        ["gemm-trans-a"] = Product(WeightOnly, [20, 3], [20, 35], "y = Gemm(x, W, B)", Int("transA", 1)),
        ["gemm-alpha-beta"] = Product(Gemm, [3, 20], [20, 35], "y = Gemm(x, W, B)", Float("alpha", 0.5f), Float("beta", -2)),
        ["gemm-negative-alpha"] = Product(WeightOnly, [3, 20], [35, 20], "y = Gemm(x, W)", Float("alpha", -0.25f), Int("transB", 1)),
        ["gemm-beta-without-bias"] = Product(Gemm, [3, 20], [20, 35], "y = Gemm(x, W)", Float("beta", 7)),
        ["gemm-bias-row"] = Product(Gemm, [3, 20], [20, 35], "y = Gemm(x, W, row)", Float("beta", 0.5f)),
        ["gemm-bias-one"] = Product(Gemm, [3, 20], [20, 35], "y = Gemm(x, W, one)"),
        ["gemm-bias-scalar"] = Product(Gemm, [3, 20], [20, 35], "y = Gemm(x, W, scalar)", Float("beta", 3)),
        ["gemm-bias-column"] = Product(Gemm, [3, 20], [20, 35], "y = Gemm(x, W, column)"),
        ["gemm-bias-column-beta"] = Product(WeightOnly, [3, 20], [20, 35], "y = Gemm(x, W, column)", Float("beta", 3)),
        ["gemm-bias-square-column"] = Product(Gemm, [3, 20], [20, 3], "y = Gemm(x, W, column)"),
        ["gemm-bias-matrix"] = Product(Gemm, [3, 20], [20, 35], "y = Gemm(x, W, matrix)"),
        ["gemm-bias-computed"] = Product(Gemm, [3, 20], [20, 35], "y = Gemm(x, W, b)"),
        ["gemm-bias-computed-beta"] = Product(WeightOnly, [3, 20], [20, 35], "y = Gemm(x, W, b)", Float("beta", 2)),
        ["matmul"] = Product(Gemm, [3, 20], [20, 35], "y = MatMul(x, W)"),
        ["matmul-bias"] = Of(
            Gemm,
            static () => new GraphBuilder().Input("x", 3, 20).Random("W", 20, 35).Random("B", 35)
                .Node("p = MatMul(x, W)").Node("y = Add(B, p)").Output("y").Model(),
            3,
            20),
        ["matmul-one-output"] = Product(Gemm, [3, 20], [20, 1], "y = MatMul(x, W)"),
        ["matmul-one-input"] = Product(Gemm, [3, 1], [1, 35], "y = MatMul(x, W)"),
        ["matmul-batch"] = Product(Gemm, [2, 4, 3, 20], [20, 35], "y = MatMul(x, W)"),
        ["matmul-vector"] = Product(Gemm, [20], [20, 35], "y = MatMul(x, W)"),
        ["matmul-batched-weight"] = Product(WeightOnly, [4, 3, 20], [4, 20, 35], "y = MatMul(x, W)"),
        ["matmul-broadcast-weight"] = Product(WeightOnly, [4, 3, 20], [1, 20, 35], "y = MatMul(x, W)"),
        ["shared"] = Of(Conv, static () => new GraphBuilder().Input("x", 1, 3, 6, 6).Random("W", 4, 3, 3, 3)
            .Node("a = Conv(x, W)", Ints("pads", 1, 1, 1, 1))
                .Node("b = Conv(x, W)", Ints("dilations", 2, 2), Ints("pads", 2, 2, 2, 2))
                .Node("y = Sub(a, b)")
                .Output("y")
                .Model(), 1, 3, 6, 6),
        ["if"] = Bodied(static () => new GraphBuilder().Input("x", 1, 3, 6, 6).Random("W", 4, 3, 3, 3)
            .If(
                "y",
                new GraphBuilder("then").Node("t = Conv(x, W)").Output("t"),
                new GraphBuilder("else").Random("V", 4, 3, 3, 3).Node("e = Conv(x, V)").Output("e"))
                .Output("y")
                .Model()),
        ["gather"] = Table(static graph => graph.Node("e = Gather(W, i)").Node("y = Sub(x, e)")),
        ["gather-negative-axis"] = Table(
            static graph => graph.Node("e = Gather(W, i)", Int("axis", -2)).Node("y = Sub(x, e)")),
        ["gather-of-matrices"] = Table(
            static graph => graph.Random("V", 40, 4, 5).Int64s("shape", 3, 20)
                .Node("g = Gather(V, i)").Node("e = Reshape(g, shape)").Node("y = Sub(x, e)")),
        ["gather-twice"] = Table(
            static graph => graph.Node("e = Gather(W, i)").Node("r = Neg(i)").Node("f = Gather(W, r)").Node("y = Sum(x, e, f)")),
        ["gather-tied-to-gemm"] = Table(
            static graph => graph.Node("e = Gather(W, i)").Node("p = Gemm(x, W)", Int("transB", 1))
                .Node("y = Concat(e, p)", Int("axis", 1)),
            Gemm),
        ["gather-tied-to-matmul"] = Table(
            static graph => graph.Node("e = Gather(W, i)").Node("t = Transpose(W)", Ints("perm", 1, 0)).Node("p = MatMul(x, t)")
                .Node("y = Concat(e, p)", Int("axis", 1)),
            Gemm),
        // Each slice is quantized by itself, and equal slices have equal scales.
        ["scan"] = new(
            Gemm, static () =>
                new GraphBuilder()
                    .Input("x", 5, 4, 20)
                    .Random("W", 20, 35)
                    .Scan("y", "x", new GraphBuilder("body").Node("out = MatMul(in, W)"), 4, -1)
                    .Output("y")
                    .Model(),
            (
                "x",
                TensorValue.Of([5, 4, 20], [.. Enumerable.Repeat(TensorValue.Random(4, 20).Floats, 5).SelectMany(static slice => slice)]))),
    };

    private static NestedForm Convolution(string op, long[] x, long[] weight, string node, params AttributeProto[] attributes) =>
        Of(
            op,
            () => new GraphBuilder().Input("x", x).Random("W", weight).Random("B", weight[0]).Node(node, attributes).Output("y").Model(),
            x);

    private static NestedForm Product(string op, long[] x, long[] weight, string node, params AttributeProto[] attributes)
    {
        long rows = x[0], columns = Array.Exists(attributes, static a => a is { Name: "transB", I: 1 }) ? weight[0] : weight[^1];
        bool computed = node.Contains(", b)", StringComparison.Ordinal);
        NestedForm form = Of(op, Build, x);
        return computed ? form with { Feeds = [.. form.Feeds, ("a", TensorValue.Random(rows, columns))] } : form;

        ModelProto Build()
        {
            GraphBuilder graph = new GraphBuilder()
                .Input("x", x)
                .Random("W", weight)
                .Random("B", columns)
                .Random("row", 1, columns)
                .Random("one", 1)
                .Random("scalar")
                .Random("column", rows, 1)
                .Random("matrix", rows, columns);
            if (computed) graph.Input("a", rows, columns).Node("b = Neg(a)");
            return graph.Node(node, attributes).Output("y").Model();
        }
    }

    /// <summary>A table W [40, 20] and the indices i of three rows.</summary>
    private static NestedForm Table(Action<GraphBuilder> nodes, string op = Gather)
    {
        NestedForm form = Of(op, Build, 3, 20);
        return form with { Feeds = [.. form.Feeds, ("i", TensorValue.OfInt64([3], 39, -1, 0))] };

        ModelProto Build()
        {
            GraphBuilder graph = new GraphBuilder().Input("x", 3, 20).Input(TensorDataType.Int64, "i", 3).Random("W", 40, 20);
            nodes(graph);
            return graph.Output("y").Model();
        }
    }

    private static NestedForm Bodied(Func<ModelProto> model)
    {
        NestedForm form = Of(Conv, model, 1, 3, 6, 6);
        return form with { Feeds = [.. form.Feeds, ("c", TensorValue.OfBool(true))] };
    }

    private static NestedForm Of(string op, Func<ModelProto> model, params long[] x) => new(op, model, ("x", TensorValue.Random(x)));

    private static AttributeProto Int(string name, long value) => AttributeProto.Int(name, value);

    private static AttributeProto Ints(string name, params long[] values) => AttributeProto.IntList(name, values);

    private static AttributeProto Float(string name, float value) => AttributeProto.Float(name, value);

    private static AttributeProto Text(string name, string value) => AttributeProto.String(name, value);
}
