using NestQuant.Onnx;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Integer;

/// <summary>
/// A small graph of quantized values for every operator with an integer form: x and z are dequantized inputs, y is the float result, which
/// is quantized in turn.
/// </summary>
/// <param name="Build">Adds the nodes from x (and z) to y.</param>
/// <param name="Expected">The integer operators, in order.</param>
internal sealed record IntegerForm(Func<GraphBuilder, GraphBuilder> Build, params string[] Expected)
{
    private const string Lookup = "QLinearLookup";

    /// <summary>Shape of x and z.</summary>
    public long[] Shape { get; init; } = [2, 6, 5, 5];

    public float Scale { get; init; } = 2f / 255;

    public byte ZeroPoint { get; init; } = 128;

    /// <summary>Parameters of x; those of z are others unless <see cref="SameParameters"/>.</summary>
    public float InputScale { get; init; } = 2f / 255;

    public byte InputZeroPoint { get; init; } = 128;

    /// <summary>Whether x, z and y have the parameters of x.</summary>
    public bool SameParameters { get; init; }

    /// <summary>Steps of the result by which the integer form may differ; 0 where its arithmetic is exact.</summary>
    public int Steps { get; init; } = 1;

    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();

    /// <summary>All forms by name.</summary>
    public static IReadOnlyDictionary<string, IntegerForm> All { get; } = new Dictionary<string, IntegerForm>(StringComparer.Ordinal)
    {
        ["relu"] = Table("y = Relu(x)") with { Scale = 1f / 255, ZeroPoint = 0 },
        ["relu-same-parameters"] = new(
            static g => g.Node("y = Relu(x)"))
        { InputZeroPoint = 0, InputScale = 1f / 255, SameParameters = true, Steps = 0 },
        ["clip"] = Table("y = Clip(x, low, high)"),
        ["clip-upper-only"] = Table("y = Clip(x, , high)"),
        ["leaky-relu"] = Table("y = LeakyRelu(x)", AttributeProto.Float("alpha", 0.3f)),
        ["sigmoid"] = Table("y = Sigmoid(x)") with { Scale = 1f / 256, ZeroPoint = 0 },
        ["hard-sigmoid"] = Table("y = HardSigmoid(x)", AttributeProto.Float("alpha", 1f / 6)) with { Scale = 1f / 256, ZeroPoint = 0 },
        ["hard-swish"] = Table("y = HardSwish(x)") with { InputScale = 0.05f },
        ["tanh"] = Table("y = Tanh(x)"),
        ["elu"] = Table("y = Elu(x)", AttributeProto.Float("alpha", 0.7f)),
        ["selu"] = Table("y = Selu(x)"),
        ["softplus"] = Table("y = Softplus(x)"),
        ["softsign"] = Table("y = Softsign(x)"),
        ["mish"] = new(static g => g.Node("p = Softplus(x)").Node("t = Tanh(p)").Node("y = Mul(x, t)"), Lookup),
        ["erf"] = Table("y = Erf(x)"),
        ["silu"] = new(
            static g => g.Node("s = Sigmoid(x)").Node("y = Mul(x, s)"), Lookup)
        { InputScale = 0.05f, Scale = 0.04f, ZeroPoint = 10 },
        ["silu-with-quantized-gate"] = new(
            static g => g.Node("s = Sigmoid(x)").Pair("s", "sd", 1f / 256, 0).Node("y = Mul(x, sd)"),
            Lookup)
        { InputScale = 0.05f, Scale = 0.04f, ZeroPoint = 10 },
        ["hard-swish-of-parts"] = new(
            static g => g.Node("s = HardSigmoid(x)", AttributeProto.Float("alpha", 1f / 6)).Node("y = Mul(x, s)"),
            Lookup)
        { InputScale = 0.05f, Scale = 0.04f, ZeroPoint = 10 },
        ["gelu-of-parts"] = new(static g => g.Floats("root", [], MathF.Sqrt(2)).Floats("one", [], 1).Floats("half", [], 0.5f)
            .Node("d = Div(x, root)").Node("e = Erf(d)").Node("a = Add(e, one)").Node("m = Mul(x, a)").Node("y = Mul(m, half)"), Lookup),
        ["multiply-by-scalar"] = new(static g => g.Floats("c", [1], -0.7f).Node("y = Mul(c, x)"), Lookup),
        ["requantize"] = new(static g => g.Node("y = Identity(x)"), Lookup) { Scale = 0.013f, ZeroPoint = 77 },
        ["vanish"] = new(static g => g.Node("y = Identity(x)")) { SameParameters = true, Steps = 0 },

        ["add"] = new(static g => g.Node("y = Add(x, z)"), "QLinearAdd") { Scale = 4f / 255 },
        ["add-relu"] = new(static g => g.Node("a = Add(x, z)").Node("y = Relu(a)"), "QLinearAdd") { Scale = 2f / 255, ZeroPoint = 0 },
        ["add-relu-with-zero-point"] = new(
            static g => g.Node("a = Add(x, z)").Node("y = Relu(a)"), "QLinearAdd", Lookup)
        { Scale = 4f / 255, ZeroPoint = 100 },
        ["add-clip"] = new(static g => g.Node("a = Add(x, z)").Node("y = Clip(a, low, high)"), "QLinearAdd", Lookup) { Scale = 4f / 255 },
        ["multiply"] = new(static g => g.Node("y = Mul(x, z)"), "QLinearMul"),
        ["multiply-by-gate"] = new(
            static g => g.Node("g = GlobalAveragePool(z)").Pair("g", "gd", 1f / 255, 128).Node("y = Mul(x, gd)"),
            "QLinearGlobalAveragePool",
            "QLinearMul"),
        ["concat"] = new(static g => g.Node("y = Concat(x, z)", AttributeProto.Int("axis", 1)), "QLinearConcat") { Scale = 2.2f / 255 },
        ["concat-same-parameters"] = new(
            static g => g.Node("y = Concat(x, z)", AttributeProto.Int("axis", -1)), "Concat")
        { SameParameters = true, Steps = 0 },

        ["concat-with-constant"] = new(
            static g => g.Random("pad", 2, 3, 5, 5).Node("y = Concat(x, pad)", AttributeProto.Int("axis", 1)),
            "QLinearConcat")
        { Scale = 2.2f / 255 },
        ["concat-with-constant-of-same-parameters"] = new(
            static g => g.Random("pad", 2, 3, 5, 5).Node("y = Concat(pad, x)", AttributeProto.Int("axis", 1)),
            "Concat")
        { SameParameters = true, Steps = 0 },

        ["prelu"] = Affine("y = PRelu(x, perChannel)"),
        ["prelu-of-scalar"] = new(static g => g.Floats("slope", [1], 0.3f).Node("y = PRelu(x, slope)"), Lookup),
        ["prelu-of-rows"] = new(static g => g.Random("slope", 6).Node("y = PRelu(x, slope)"), "QLinearAffine") { Shape = [7, 6] },
        ["multiply-by-channel"] = Affine("y = Mul(perChannel, x)"),
        ["divide-by-channel"] = Affine("y = Div(x, positive)") with { Scale = 9f / 255 },
        ["add-to-channel"] = Affine("y = Add(x, perChannel)"),
        ["subtract-from-channel"] = Affine("y = Sub(x, perChannel)"),
        ["subtract-channel"] = Affine("y = Sub(perChannel, x)"),
        ["multiply-by-column"] = new(static g => g.Random("columns", 5).Node("y = Mul(x, columns)"), "QLinearAffine"),
        ["add-to-channel-relu"] = Affine("a = Add(x, perChannel)") with
        {
            Build = static g => Constants(g).Node("a = Add(x, perChannel)").Node("y = Relu(a)"),
            ZeroPoint = 100,
        },
        ["normalise"] = new(
            static g => g.Random("factor", 6).Random("offset", 6).Random("mean", 6).Floats("variance", [6], 0.5f, 1, 1.5f, 2, 1, 1)
                .Node("n = BatchNormalization(x, factor, offset, mean, variance)").Node("y = Clip(n, low, high)"),
            "QLinearAffine"),
        ["max-with-leaky-relu"] = new(static g => g.Node("l = LeakyRelu(x)").Node("y = Max(x, l)"), Lookup),
        ["max-with-multiple"] = new(static g => g.Floats("slope", [], 0.2f).Node("m = Mul(x, slope)").Node("y = Max(x, m)"), Lookup),
        ["relu-and-negative-part"] = new(
            static g => g.Floats("slope", [], 0.2f).Node("p = Relu(x)").Node("n = Neg(x)").Node("r = Relu(n)").Node("m = Mul(r, slope)")
                .Node("y = Sub(p, m)"), Lookup),

        ["average-pool"] = new(
            static g => g.Node("y = AveragePool(x)", Ints("kernel_shape", 3, 2), Ints("strides", 2, 1), Ints("pads", 1, 0, 1, 1)),
            "QLinearAveragePool"),
        ["average-pool-counting-pads"] = new(
            static g =>
                g.Node(
                    "y = AveragePool(x)", Ints("kernel_shape", 3, 3), Ints("pads", 1, 1, 1, 1), AttributeProto.Int("count_include_pad", 1)),
            "QLinearAveragePool"),
        ["average-pool-ceil"] = new(
            static g =>
                g.Node(
                    "y = AveragePool(x)",
                    Ints("kernel_shape", 3, 2),
                    Ints("strides", 3, 2),
                    Ints("pads", 1, 0, 0, 1),
                    AttributeProto.Int("ceil_mode", 1)),
            "QLinearAveragePool"),
        ["average-pool-same"] = new(
            static g =>
                g.Node(
                    "y = AveragePool(x)",
                    Ints("kernel_shape", 3, 2),
                    Ints("strides", 2, 2),
                    AttributeProto.String("auto_pad", "SAME_LOWER")),
            "QLinearAveragePool"),
        ["average-pool-1d"] = new(
            static g => g.Node("y = AveragePool(x)", Ints("kernel_shape", 3)), "QLinearAveragePool")
        { Shape = [2, 6, 9] },
        ["global-average-pool"] = new(static g => g.Node("y = GlobalAveragePool(x)"), "QLinearGlobalAveragePool") { Scale = 0.5f / 255 },
        ["mean"] = new(static g => g.Node("y = ReduceMean(x)", Ints("axes", 2, 3)), "QLinearGlobalAveragePool") { Scale = 0.5f / 255 },
        ["mean-without-axes"] = new(
            static g => g.Node("y = ReduceMean(x)", Ints("axes", -1, -2), AttributeProto.Int("keepdims", 0)),
            "QLinearGlobalAveragePool",
            "Flatten")
        { Scale = 0.5f / 255 },

        ["max-pool"] = Moved("y = MaxPool(x)", "MaxPool", Ints("kernel_shape", 3, 3), Ints("strides", 2, 2), Ints("pads", 1, 1, 1, 1)),
        ["max-pool-other-parameters"] = Moved(
            "y = MaxPool(x)",
            "MaxPool",
            Ints(
                "kernel_shape",
                2,
                2)) with
        { SameParameters = false, Scale = 0.011f, ZeroPoint = 90, Steps = 1, Expected = ["MaxPool", Lookup] },
        ["reshape"] = Moved("y = Reshape(x, shape)", "Reshape"),
        ["flatten"] = Moved("y = Flatten(x)", "Flatten"),
        ["transpose"] = Moved("y = Transpose(x)", "Transpose", Ints("perm", 3, 0, 2, 1)),
        ["slice"] = Moved("y = Slice(x, starts, ends, axes)", "Slice"),
        ["gather"] = Moved("y = Gather(x, indices)", "Gather", AttributeProto.Int("axis", 1)),
        ["unsqueeze-squeeze"] = Moved(
            "u = Unsqueeze(x, last)",
            "Unsqueeze") with
        {
            Build = static g =>
                Constants(g)
                    .Node("u = Unsqueeze(x, last)")
                    .Pair("u", "ud", 2f / 255, 128)
                    .Node("y = Squeeze(ud, last)"),
            Expected = ["Unsqueeze", "Squeeze"]
        },
        ["pad"] = Moved("y = Pad(x, pads)", "Pad"),
        ["pad-with-value"] = Moved("y = Pad(x, pads, padding)", "Pad"),
        ["pad-reflecting"] = Moved("y = Pad(x, pads)", "Pad", AttributeProto.String("mode", "reflect")),
        ["resize"] = Moved(
            "y = Resize(x, , scales)",
            "Resize",
            AttributeProto.String("mode", "nearest"),
            AttributeProto.String("coordinate_transformation_mode", "asymmetric"),
            AttributeProto.String("nearest_mode", "floor")),
        ["resize-linear"] = Resized("y = Resize(x, , scales)"),
        ["resize-linear-to-sizes"] = Resized(
            "y = Resize(x, , , sizes)", AttributeProto.String("coordinate_transformation_mode", "align_corners")),
        ["resize-linear-other-parameters"] = Resized("y = Resize(x, , scales)") with
        {
            SameParameters = false,
            Scale = 0.011f,
            ZeroPoint = 90,
            Steps = 2,
            Expected = ["Transpose", "QLinearResize", "Transpose", Lookup],
        },
        ["depth-to-space"] = Moved("y = DepthToSpace(x)", "DepthToSpace", AttributeProto.Int("blocksize", 2)) with { Shape = [1, 8, 3, 3] },
        ["space-to-depth"] = Moved("y = SpaceToDepth(x)", "SpaceToDepth", AttributeProto.Int("blocksize", 2)) with { Shape = [1, 2, 4, 6] },
        ["tile"] = Moved("y = Tile(x, repeats)", "Tile"),
        ["expand"] = Moved("y = Expand(x, target)", "Expand") with { Shape = [2, 1, 5, 5] },
        ["split"] = Moved("y, v = Split(x)", "Split", AttributeProto.Int("axis", 1)),
        ["split-and-requantize"] = new(
            static g =>
                g.Node("u, v = Split(x)", AttributeProto.Int("axis", 1))
                    .Pair("u", "ud", 2f / 255, 128)
                    .Pair("v", "vd", 0.01f, 99)
                    .Node("y = Add(ud, vd)"), "Split", Lookup, "QLinearAdd"),
    };

    public ModelProto Model(long opset = 17)
    {
        GraphBuilder graph = Constants(new GraphBuilder().Input("input", Shape).Input("other", Shape));
        graph.Pair("input", "x", InputScale, InputZeroPoint);
        graph = SameParameters ? graph.Pair("other", "z", InputScale, InputZeroPoint) : graph.Pair("other", "z", 1.7f / 255, 120);
        graph = Build(graph);
        return (SameParameters ? graph.Pair("y", "result", InputScale, InputZeroPoint) : graph.Pair("y", "result", Scale, ZeroPoint))
            .Output("result")
            .Model(opset);
    }

    public (string Name, TensorValue Value)[] Feeds => [("input", QdqGraph.Random(1, Shape)), ("other", QdqGraph.Random(2, Shape))];

    private static IntegerForm Table(string node, params AttributeProto[] attributes) => new(g => g.Node(node, attributes), Lookup);

    private static IntegerForm Affine(string node) => new(g => g.Node(node), "QLinearAffine") { Scale = 3f / 255 };

    private static IntegerForm Moved(string node, string op, params AttributeProto[] attributes) =>
        new(g => g.Node(node, attributes), op) { SameParameters = true, Steps = 0 };

    /// <summary>Half of the results of doubling are between two integers, and the noise of float decides to which they go.</summary>
    private static IntegerForm Resized(string node, params AttributeProto[] attributes) =>
        new(
            graph => graph.Node(node, [AttributeProto.String("mode", "linear"), .. attributes]),
            "Transpose",
            "QLinearResize",
            "Transpose")
        { SameParameters = true };

    private static GraphBuilder Constants(GraphBuilder graph) =>
        graph.Graph.Initializer.Exists(static tensor => tensor.Name == "low") ? graph : graph
        .Random("perChannel", 6, 1, 1).Floats("positive", [6, 1, 1], 0.3f, 1, 2, 0.7f, 0.4f, 1.3f)
        .Floats("low", [], -0.5f).Floats("high", [], 0.6f).Floats("padding", [], 0.25f).Floats("scales", [4], 1, 1, 2, 2)
        .Int64s("shape", 2, -1, 5)
            .Int64s("starts", 1, 0)
            .Int64s("ends", 5, 4)
            .Int64s("axes", 1, 3)
            .Int64s("indices", 3, 0, 3)
            .Int64s("last", 4)
        .Int64s("pads", 0, 0, 1, 2, 0, 0, 2, 1).Int64s("repeats", 1, 2, 1, 3).Int64s("target", 1, 3, 1, 1)
        .Int64s("sizes", 2, 6, 8, 3);

    private static AttributeProto Ints(string name, params long[] values) => AttributeProto.IntList(name, values);
}
