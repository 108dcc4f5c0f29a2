using CsCheck;
using NestQuant.Onnx;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Models;

/// <summary>
/// Random graphs of every form of product that nests, with extents of one, weights that several nodes and several graphs read, and awkward
/// names. Every value of a chain has the shape [1, 4, 3, 3], so that any can follow any.
/// </summary>
internal static class ProductGraphs
{
    private static readonly Dictionary<string, Action<GraphBuilder, Step>> Kinds = new(StringComparer.Ordinal)
    {
        ["conv"] = static (graph, s) => graph.Node($"{s.Y} = Conv({s.A}, C{s.W}, bias4)"),
        ["conv relu"] = static (graph, s) => graph.Node($"{s.T} = Conv({s.A}, C{s.W})").Node($"{s.Y} = Relu({s.T})"),
        ["conv of one output"] = static (graph, s) => graph.Node($"{s.T} = Conv({s.A}, C1out, bias1)").Node($"{s.Y} = Mul({s.T}, {s.B})"),
        ["conv of one input"] = static (graph, s) => graph.Node($"{s.T} = Conv({s.A}, C1out)").Node($"{s.Y} = Conv({s.T}, C1in, bias4)"),
        ["depthwise"] = static (graph, s) => graph.Node($"{s.Y} = Conv({s.A}, D, bias4)", Ints("pads", 1, 1, 1, 1), Int("group", 4)),
        ["transposed"] = static (graph, s) => graph.Node($"{s.Y} = ConvTranspose({s.A}, C{s.W}, bias4)"),
        ["transposed grouped"] = static (graph, s) => graph.Node($"{s.Y} = ConvTranspose({s.A}, T2)", Int("group", 2)),
        ["transposed depthwise"] = static (graph, s) =>
            graph.Node($"{s.Y} = ConvTranspose({s.A}, D, bias4)", Ints("pads", 1, 1, 1, 1), Int("group", 4)),
        ["transposed of one output"] = static (graph, s) =>
            graph.Node($"{s.T} = ConvTranspose({s.A}, T1out)").Node($"{s.Y} = Mul({s.T}, {s.B})"),
        ["gemm"] = static (graph, s) => Gemm(graph, s, "rows", "G99", "bias9", "maps"),
        ["gemm transB"] = static (graph, s) => Gemm(graph, s, "rows", "G99", "bias9", "maps", Int("transB", 1)),
        ["gemm transA"] = static (graph, s) => Gemm(graph, s, "columns", "G99", "", "maps", Int("transA", 1)),
        ["gemm transA transB"] = static (graph, s) => Gemm(graph, s, "columns", "G99", "bias9", "maps", Int("transA", 1), Int("transB", 1)),
        ["gemm alpha beta"] = static (graph, s) =>
            Gemm(graph, s, "rows", "G99", "bias9", "maps", AttributeProto.Float("alpha", 0.5f), AttributeProto.Float("beta", -2)),
        ["gemm negative alpha"] = static (graph, s) => Gemm(graph, s, "rows", "G99", "bias1", "maps", AttributeProto.Float("alpha", -1)),
        ["gemm to one"] = static (graph, s) => Gemm(graph, s, "rows", "G91", "bias1", "gate"),
        ["gemm to one transB"] = static (graph, s) => Gemm(graph, s, "rows", "G19", "bias1", "gate", Int("transB", 1)),
        ["gemm to one alpha"] = static (graph, s) => Gemm(graph, s, "rows", "G91", "", "gate", AttributeProto.Float("alpha", 2)),
        ["gemm from one"] = static (graph, s) => Gemm(graph, s, "ones", "G19", "bias9", "ninefold"),
        ["gemm from one transB"] = static (graph, s) => Gemm(graph, s, "ones", "G91", "", "ninefold", Int("transB", 1)),
        ["gemm of one"] = static (graph, s) => Gemm(graph, s, "ones", "G11", "bias1", "maps", Int("transB", s.W)),
        ["matmul"] = static (graph, s) => graph.Node($"{s.Y} = MatMul({s.A}, M33)"),
        ["matmul bias"] = static (graph, s) => graph.Node($"{s.T} = MatMul({s.A}, M33)").Node($"{s.Y} = Add({s.T}, bias3)"),
        ["matmul of a matrix"] = static (graph, s) =>
            graph.Node($"{s.T} = Reshape({s.A}, rows)").Node($"{s.T}m = MatMul({s.T}, G99)").Node($"{s.Y} = Reshape({s.T}m, maps)"),
        ["matmul of a vector"] = static (graph, s) =>
            graph.Node($"{s.T} = Reshape({s.A}, flat)").Node($"{s.T}m = MatMul({s.T}, V36)").Node($"{s.Y} = Reshape({s.T}m, maps)"),
        ["matmul by a vector"] = static (graph, s) =>
            graph.Node($"{s.T} = MatMul({s.A}, bias3)").Node($"{s.T}m = Reshape({s.T}, across)").Node($"{s.Y} = Mul({s.T}m, {s.B})"),
        ["matmul batched"] = static (graph, s) => graph.Node($"{s.Y} = MatMul({s.A}, M433)"),
        ["matmul in one batch"] = static (graph, s) => graph.Node($"{s.Y} = MatMul({s.A}, M133)"),
        ["matmul to one"] = static (graph, s) => graph.Node($"{s.T} = MatMul({s.A}, M31)").Node($"{s.Y} = Mul({s.T}, {s.B})"),
        ["matmul from one"] = static (graph, s) => graph.Node($"{s.T} = MatMul({s.A}, M31)").Node($"{s.Y} = MatMul({s.T}, M13)"),
        ["matmul on the left"] = static (graph, s) => graph.Node($"{s.Y} = MatMul(M33, {s.A})"),
        ["add"] = static (graph, s) => graph.Node($"{s.T} = Add({s.A}, {s.B})").Node($"{s.Y} = Tanh({s.T})"),
        ["gate"] = static (graph, s) => graph.Node($"{s.T} = Sigmoid({s.A})").Node($"{s.Y} = Mul({s.T}, {s.B})"),
        ["pool"] = static (graph, s) =>
            graph.Node($"{s.T} = GlobalAveragePool({s.A})")
                .Node($"{s.T}c = Conv({s.T}, C{s.W}, bias4)")
                .Node($"{s.Y} = Mul({s.T}c, {s.B})"),
        ["if conv"] = static (graph, s) => If(graph, s, $"Conv({s.A}, C{s.W}, bias4)", $"ConvTranspose({s.B}, C{s.W})"),
        ["if matmul"] = static (graph, s) => If(graph, s, $"MatMul({s.A}, M33)", $"MatMul({s.B}, M33)"),
        ["if own weight"] = static (graph, s) => If(graph, s, $"MatMul({s.A}, own{s.I})", $"Neg({s.B})"),
        ["loop conv"] = static (graph, s) => Loop(graph, s, $"Conv(in{s.I}, C{s.W})"),
        ["loop matmul"] = static (graph, s) => Loop(graph, s, $"MatMul(in{s.I}, M33)"),
        ["loop own weight"] = static (graph, s) => Loop(graph, s, $"MatMul(in{s.I}, own{s.I})"),
    };

    /// <summary>Builders of random models. Building twice gives equal models.</summary>
    public static Gen<Func<ModelProto>> Models { get; } =
        from steps in (from kind in Gen.OneOf(Kinds.Keys.ToArray())
                       from a in Gen.Int[0, 30]
                       from b in Gen.Int[0, 30]
                       from w in Gen.Int[0, 1]
                       from isOutput in Gen.Int[0, 3]
                       select (kind, a, b, w, isOutput == 0)).Array[1, 6]
        from names in Gen.Int[0, int.MaxValue]
        select new Func<ModelProto>(() => Build(steps, names));

    /// <summary>What the models read.</summary>
    public static (string Name, TensorValue Value)[] Feeds { get; } =
    [
        ("x", TensorValue.Random(1, 4, 3, 3)), ("c", TensorValue.OfBool(true))
    ];

    private static ModelProto Build((string Kind, int A, int B, int W, bool IsOutput)[] steps, int names)
    {
        GraphBuilder graph = new GraphBuilder().Input("x", 1, 4, 3, 3).Input(TensorDataType.Bool, "c")
            .Random("C0", 4, 4, 1, 1)
                .Random("C1", 4, 4, 1, 1)
                .Random("C1out", 1, 4, 1, 1)
                .Random("C1in", 4, 1, 1, 1)
                .Random("D", 4, 1, 3, 3)
                .Random("T2", 4, 2, 1, 1)
                .Random("T1out", 4, 1, 1, 1)
            .Random("G99", 9, 9)
                .Random("G91", 9, 1)
                .Random("G19", 1, 9)
                .Random("G11", 1, 1)
                .Random("V36", 36, 36)
                .Random("M33", 3, 3)
                .Random("M433", 4, 3, 3)
                .Random("M133", 1, 3, 3)
                .Random("M31", 3, 1)
                .Random("M13", 1, 3)
            .Random("bias1", 1).Random("bias3", 3).Random("bias4", 4).Random("bias9", 9)
            .Int64s("rows", 4, 9)
                .Int64s("columns", 9, 4)
                .Int64s("ones", 36, 1)
                .Int64s("flat", 36)
                .Int64s("maps", 1, 4, 3, 3)
                .Int64s("gate", 1, 4, 1, 1)
                .Int64s("ninefold", 1, 4, 3, 3, 9)
                .Int64s("across", 1, 4, 1, 3)
            .Constant(TensorProto.FromInt64s("trips", [], [2])).Constant(TensorProto.FromBytes("always", TensorDataType.Bool, [], [1]));
        var values = new List<string> { "x" };
        var outputs = new List<string>();
        for (int i = 0; i < steps.Length; i++)
        {
            var step = new Step(i, values[steps[i].A % values.Count], values[steps[i].B % values.Count], steps[i].W);
            Kinds[steps[i].Kind](graph, step);
            values.Add(step.Y);
            if (steps[i].IsOutput) outputs.Add(step.Y);
        }

        graph.Node($"last = Tanh({values[^1]})").Output(["last", .. outputs]);
        ModelProto model = graph.Model();
        AwkwardNames.Give(model, names);
        return model;
    }

    /// <summary>A Gemm between a Reshape to what it reads and one to what it is combined with.</summary>
    private static void Gemm(
        GraphBuilder graph, Step s, string from, string weight, string bias, string to, params AttributeProto[] attributes)
    {
        graph.Node($"{s.T} = Reshape({s.A}, {from})")
            .Node($"{s.T}g = Gemm({s.T}, {weight}{(bias.Length > 0 ? ", " + bias : "")})", attributes)
            .Node($"{s.T}r = Reshape({s.T}g, {to})");
        _ = to switch
        {
            "maps" => graph.Node($"{s.Y} = Tanh({s.T}r)"),
            "gate" => graph.Node($"{s.Y} = Mul({s.T}r, {s.B})"),
            _ => graph.Node($"{s.Y} = ReduceMax({s.T}r)", Ints("axes", 4), Int("keepdims", 0)),
        };
    }

    private static void If(GraphBuilder graph, Step s, string then, string otherwise)
    {
        GraphBuilder first = Own(new GraphBuilder("then"), s, then).Node($"p{s.I} = {then}").Output($"p{s.I}"),
            second = new GraphBuilder("else").Node($"q{s.I} = {otherwise}").Output($"q{s.I}");
        graph.Node($"{s.Y} = If(c)", AttributeProto.Graph("then_branch", first.Graph), AttributeProto.Graph("else_branch", second.Graph));
    }

    private static void Loop(GraphBuilder graph, Step s, string product)
    {
        GraphBuilder body = Own(new GraphBuilder("body"), s, product)
            .Input(TensorDataType.Int64, $"i{s.I}")
            .Input(TensorDataType.Bool, $"go{s.I}")
            .Input($"in{s.I}", 1, 4, 3, 3)
            .Node($"next{s.I} = Identity(go{s.I})").Node($"{s.T}p = {product}").Node($"{s.T}b = Tanh({s.T}p)");
        body.Graph.Output.AddRange(
            [GraphBuilder.Value(TensorDataType.Bool, $"next{s.I}"), GraphBuilder.Value(TensorDataType.Float, $"{s.T}b", 1, 4, 3, 3)]);
        graph.Node($"{s.Y} = Loop(trips, always, {s.A})", AttributeProto.Graph("body", body.Graph));
    }

    /// <summary>Gives a body the weight that only it has, where it reads it.</summary>
    private static GraphBuilder Own(GraphBuilder body, Step s, string product) =>
        product.Contains($"own{s.I}", StringComparison.Ordinal) ? body.Random($"own{s.I}", 3, 3) : body;

    private static AttributeProto Int(string name, long value) => AttributeProto.Int(name, value);

    private static AttributeProto Ints(string name, params long[] values) => AttributeProto.IntList(name, values);

    /// <summary>
    /// Number <paramref name="I"/> of a chain: it makes <see cref="Y"/> of <paramref name="A"/> and <paramref name="B"/>.
    /// </summary>
    private sealed record Step(int I, string A, string B, int W)
    {
        /// <summary>Its result.</summary>
        public string Y => $"v{I}";

        /// <summary>Stem of names for its inner values.</summary>
        public string T => $"t{I}";
    }
}
