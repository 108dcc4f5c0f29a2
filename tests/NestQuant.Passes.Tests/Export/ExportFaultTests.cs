using Microsoft.ML.OnnxRuntime;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Export;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Operators;
using NestQuant.Passes.Tests.Integer.ActivationQuantization;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Export;

/// <summary>Graphs whose compiled form or export once did not load, or gave something else.</summary>
public sealed class ExportFaultTests
{
    private static readonly (string, TensorValue)[] Feeds = [("x", TensorValue.Random(2, 4, 6, 6)), ("c", TensorValue.OfBool(true))];

    private static readonly Dictionary<string, Func<GraphBuilder>> Graphs = new(StringComparer.Ordinal)
    {
        ["a weight with several readers"] = static () =>
            Graph("a = Conv(x, W)", "b = Relu(a)", "y = Conv(b, V)", "p = AveragePool(b)", "z = Conv(p, V)")
                .With("p", Ints("kernel_shape", 2, 2))
                .Output("y", "z"),
        ["a weight with readers of two kinds"] = static () => Graph("a = ConvTranspose(x, V, B)", "y = Conv(a, V, B)").Output("y"),
        ["a value that is dequantized twice"] = static () =>
            Graph("t = Conv(x, W)", "a = Relu(t)", "y = Conv(a, V)", "b = LeakyRelu(a)", "z = Conv(b, V)")
                .With("b", AttributeProto.Float("alpha", -0.5f))
                .Output("y", "z"),
        ["a function that is quantized and read in float"] = static () =>
            Graph("t = Conv(x, W)", "s: a = Sigmoid(t)", "y = Conv(a, V)", "z = Softmax(a)").Output("y", "z"),
        ["nodes with the names of new ones"] = static () =>
            Graph(
                "x_quantize: a = Conv(x, W)",
                "V_int8_dequantize: b = Relu(a)",
                "b_dequantize: d = Neg(b)",
                "x_to_channels_last: y = Conv(d, V)").Output("y"),
        ["values with the names of new ones"] = static () =>
            Graph(
                "x_quantized = Conv(x, W)",
                "x_quantized_channels_last = Relu(x_quantized)",
                "V_int8 = Conv(x_quantized_channels_last, V)",
                "V_int8_dequantized = Neg(V_int8)",
                "y = Conv(V_int8_dequantized, V)").Output("y"),
        ["a name that an unnamed node would take"] = static () => Graph("a = Conv(x, W)", "a: y = Conv(a, V)").Output("y"),
        ["one output column, transposed"] = static () =>
            Matrix("y = Gemm(f, N1, one)").With("y", AttributeProto.Int("transB", 1)).Output("y"),
        ["one output column, transposed, between products"] = static () =>
            Matrix("a = Gemm(f, N1, one)", "b = Gemm(a, N1)", "y = MatMul(b, N)").With("a", AttributeProto.Int("transB", 1)).Output("y"),
        ["one output column"] = static () => Matrix("y = MatMul(f, N)").Output("y"),
        ["a product in a branch"] = static () => Branches("t = MatMul(x, M)", "e = Neg(x)").Output("y"),
        ["products with one weight in both branches"] = static () => Branches("t = MatMul(x, M)", "e = MatMul(x, M)").Output("y"),
        ["a product with a weight of its own in a loop"] = static () =>
            Graph()
                .Loop(
                    "y",
                    "x",
                    new GraphBuilder("body").Node("p = MatMul(v, M)").Node("v_out = Tanh(p)").Floats("M", [6, 6], Spread(36)),
                    2,
                    4,
                    6,
                    6)
                .Output("y"),
        ["a product with an outer weight in a loop"] = static () =>
            Graph().Loop("y", "x", new GraphBuilder("body").Node("p = MatMul(v, M)").Node("v_out = Tanh(p)"), 2, 4, 6, 6).Output("y"),
        ["a batched weight that a dequantized value multiplies"] = static () =>
            Graph("t = Conv(x, V)", "a = Tanh(t)", "z = Conv(a, V)", "y = MatMul(a, M3)").Random("M3", 1, 6, 6).Output("y", "z"),
        ["a batched weight of one column that a dequantized value multiplies"] = static () =>
            Graph("t = Conv(x, V)", "a = Tanh(t)", "z = Conv(a, V)", "y = MatMul(a, M4)").Random("M4", 4, 6, 1).Output("y", "z"),
        ["a batched weight that two dequantized values multiply"] = static () =>
            Graph("t = Conv(x, V)", "a = Tanh(t)", "b = Sigmoid(t)", "z = Conv(a, V)", "v = Conv(b, V)")
                .Node("y = MatMul(a, M3)")
                .Node("w = MatMul(b, M3)")
                .Random("M3", 1, 6, 6)
                .Output("y", "z", "v", "w"),
        ["an added result that is an output"] = static () => Graph("y = Conv(x, V, B)", "b = Conv(x, V)", "z = Add(y, b)").Output("y", "z"),
        ["an added result that is an output of a branch"] = static () =>
            Graph()
                .If(
                    "y",
                    new GraphBuilder("then").Node("t = Conv(x, V, B)").Node("u = Conv(x, V)").Node("r = Add(t, u)").Output("t", "r"),
                    new GraphBuilder("else").Node("e = Neg(x)").Node("f = Abs(x)").Output("e", "f"))
                .Second("z")
                .Output("y", "z"),
    };

    public static TheoryData<string, ActivationMode> Cases
    {
        get
        {
            var cases = new TheoryData<string, ActivationMode>();
            foreach (string name in Graphs.Keys)
                foreach (
                    ActivationMode mode in (ActivationMode[])[ActivationMode.WeightOnly, ActivationMode.Dynamic, ActivationMode.Static])
                    cases.Add(name, mode);
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void LoadsAndGivesTheCompiledResults(string name, ActivationMode mode)
    {
        ModelProto source = Graphs[name]().Model();
        ExportLaw.Verify(source, mode, [.. Feeds.Where(feed => source.Graph!.Input.Exists(input => input.Name == feed.Item1))]);
    }

    [Fact]
    public void ABiasOfAnotherLengthIsDamage()
    {
        ModelProto compiled = Static("a = Conv(x, W, B)", "b = Relu(a)", "y = Conv(b, V)");
        List<TensorProto> initializers = compiled.Graph!.Initializer;
        initializers[initializers.FindIndex(static tensor => tensor.Name == "B")] = TensorProto.FromFloats("B", [1], [0]);
        Assert.Contains(
            "its bias has 1 elements for 4 channels",
            Assert.Throws<ModelException>(() => ModelExport.ToQdq(compiled, new ExportOptions { Bits = 8 })).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void APoolOfAScalarIsDamage()
    {
        ModelProto compiled = Static("a = Conv(x, W)", "p = MaxPool(a)", "y = Conv(p, V)");
        NodeProto pool = compiled.Graph!.Node.First(static node => node.OpType == MicrosoftOperators.NhwcMaxPool);
        compiled.Graph.Initializer.Add(TensorProto.FromFloats("scalar", [], [1]));
        pool.Input[0] = "scalar";
        Assert.Contains(
            "its input 'scalar' has rank 0, so it has no channels",
            Assert.Throws<ModelException>(() => ModelExport.ToQdq(compiled, new ExportOptions { Bits = 8 })).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void NamesOfSourceNodesStayWhereTheyAreFree()
    {
        ModelProto exported = Export(Graph("first: a = Conv(x, W)", "second: y = Conv(a, V)").Output("y"), out _);
        Assert.Equal(["first", "second"], exported.Graph!.Node.Where(static node => node.Is("Conv")).Select(static node => node.Name));
    }

    /// <summary>
    /// What ONNX Runtime makes of it is many times as fast for few rows, and loses what the note says unless a session asks otherwise.
    /// </summary>
    [Theory]
    [InlineData("y = MatMul(f, M)", true)]
    [InlineData("y = Gemm(f, M)", true)]
    [InlineData("y = Gemm(f, M)", false, "transA")]
    [InlineData("y = Gemm(f, M)", false, "transB")]
    public void AProductThatOnnxRuntimeQuantizesHasANote(string node, bool isFused, params string[] flags)
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("f", 6, 6)
            .Floats("M", [6, 6], Spread(36))
            .Node(node, Array.ConvertAll(flags, static flag => AttributeProto.Int(flag, 1)));
        ModelProto exported = Export(graph.Output("y"), out IReadOnlyList<Decision> decisions);
        Assert.Equal(
            isFused,
            decisions.Any(
                static decision => decision.Note?.Contains("session.qdq_matmulnbits_accuracy_level", StringComparison.Ordinal) == true));

        (string, TensorValue)[] feeds = [("f", TensorValue.Random(6, 6))];
        float[] expected = Run(exported, feeds, optimize: false),
            fused = Run(exported, feeds),
            exact = Run(exported, feeds, ("session.qdq_matmulnbits_accuracy_level", "1"));
        Closeness.AssertClose(expected, exact, 1e-6f);
        Assert.Equal(isFused, expected.Zip(fused, static (left, right) => MathF.Abs(left - right)).Max() > 1e-4f);
    }

    private static float[] Run(ModelProto model, (string, TensorValue)[] feeds, params (string Key, string Value)[] entries) =>
        Run(model, feeds, optimize: true, entries);

    private static float[] Run(ModelProto model, (string, TensorValue)[] feeds, bool optimize, params (string Key, string Value)[] entries)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        if (!optimize) options.GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL;
        foreach ((string key, string value) in entries) options.AddSessionConfigEntry(key, value);
        using var session = new InferenceSession(ModelFile.ToBytes(model), options);
        return ModelRunner.Run(session, feeds)["y"].Floats;
    }

    private static ModelProto Export(GraphBuilder graph, out IReadOnlyList<Decision> decisions)
    {
        ModelProto compiled = NestQuantCompiler.Compile(
            graph.Model(), new CompilerOptions
            {
                Weights = new() { Bits = new NestedBits(8, 6) },
                Activations = new() { Mode = ActivationMode.WeightOnly },
            }).Model;
        CompileResult result = ModelExport.ToQdq(compiled, new ExportOptions { Bits = 8 });
        decisions = result.Decisions.Decisions;
        return result.Model;
    }

    private static ModelProto Static(params string[] nodes)
    {
        GraphBuilder graph = Graph(nodes).Output("y");
        foreach (NodeProto pool in graph.Graph.Node.Where(static node => node.Is("MaxPool")))
            pool.Attribute.Add(Ints("kernel_shape", 2, 2));
        return NestQuantCompiler.Compile(
            graph.Model(),
            new CompilerOptions
            {
                Weights = new() { Bits = new NestedBits(8, 6) },
                Activations = new() { Mode = ActivationMode.Static, Ranges = new MeasuredRanges(Feeds[0]) },
            }).Model;
    }

    private static GraphBuilder Graph(params string[] nodes)
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 2, 4, 6, 6)
            .Random("W", 4, 4, 3, 3)
            .Random("V", 4, 4, 1, 1)
            .Random("B", 4)
            .Floats("M", [6, 6], Spread(36));
        foreach (string node in nodes) graph.Node(node);
        return graph;
    }

    /// <summary>The input as a matrix f of 12 rows and 24 columns, and weights of one column.</summary>
    private static GraphBuilder Matrix(params string[] nodes) =>
        nodes.Aggregate(
            Graph("f = Reshape(x, rows)")
                .Int64s("rows", 12, 24)
                .Floats("N1", [1, 24], Spread(24))
                .Floats("N", [24, 1], Spread(24))
                .Floats("one", [1], 0.5f),
            static (graph, node) => graph.Node(node));

    private static GraphBuilder Branches(string then, string otherwise) =>
        Graph().If("y", new GraphBuilder("then").Node(then).Output("t"), new GraphBuilder("else").Node(otherwise).Output("e"));

    /// <summary>Values of all sizes up to one, so that their integers are not small.</summary>
    private static float[] Spread(int count) =>
        [.. Enumerable.Range(0, count).Select(i => (((i * 37) % count) - (count / 2)) / (count / 2f))];

    private static AttributeProto Ints(string name, params long[] values) => AttributeProto.IntList(name, values);
}

/// <summary>Attributes and outputs of nodes that are in the graph already.</summary>
internal static class GraphBuilderNodes
{
    /// <summary>Adds attributes to the node that makes a value.</summary>
    public static GraphBuilder With(this GraphBuilder graph, string value, params AttributeProto[] attributes)
    {
        graph.Graph.Node.Find(node => node.Output.Contains(value))!.Attribute.AddRange(attributes);
        return graph;
    }

    /// <summary>Adds an output to the last node.</summary>
    public static GraphBuilder Second(this GraphBuilder graph, string value)
    {
        graph.Graph.Node[^1].Output.Add(value);
        return graph;
    }
}
