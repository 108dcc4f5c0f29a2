using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Graph;
using NestQuant.Onnx.Validation;
using NestQuant.Passes.Export;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.GoldenModels;
using NestQuant.Passes.Tests.Integer;
using NestQuant.Passes.Tests.Integer.ActivationQuantization;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Export;

/// <summary>Exported models have standard operators only, no transposes, and the results of the compiled ones.</summary>
public sealed class ModelExportTests
{
    private static readonly (string, TensorValue)[] X = [("x", TensorValue.Random(2, 4, 8, 8))];

    public static TheoryData<string, ActivationMode, int> Golden
    {
        get
        {
            var cases = new TheoryData<string, ActivationMode, int>();
            foreach (int bits in (int[])[8, 6])
            {
                foreach (string model in GoldenModel.Names) cases.Add(model, ActivationMode.Static, bits);
                cases.Add("digits-cnn", ActivationMode.WeightOnly, bits);
                cases.Add("digits-gnl", ActivationMode.Dynamic, bits);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Golden))]
    public void GoldenModelsGiveWhatTheCompiledOnesGive(string name, ActivationMode mode, int bits)
    {
        ModelProto compiled = NestQuantCompiler.Compile(
            GoldenModel.Load(name), Options(mode, new MeasuredRanges(("input", GoldenModel.TestImages)))).Model;
        ModelProto exported = Export(compiled, bits);
        AssertStandard(exported);
        Assert.Equal(0, exported.AllNodes().Count(static node => node.OpType == "Transpose"));
        using InferenceSession expected = ModelRunner.Open(compiled), actual = ModelRunner.Open(exported, optimize: false);
        float[] before = GoldenModel.Logits(expected, GoldenModel.TestImages, bits),
            after = GoldenModel.Logits(actual, GoldenModel.TestImages);
        // A rounding that falls the other way somewhere shows in all that follows.
        Closeness.AssertClose(before, after, mode == ActivationMode.WeightOnly ? 1e-3f : 0.03f);
        Assert.Equal(GoldenModel.Top1(before, GoldenModel.TestLabels), GoldenModel.Top1(after, GoldenModel.TestLabels), 0.2 + 1e-9);
    }

    /// <summary>The bytes of every integer tensor.</summary>
    [Theory]
    [InlineData(8)]
    [InlineData(6)]
    public void EveryOperatorIsWithinOneStep(int bits)
    {
        foreach (GraphBuilder graph in (GraphBuilder[])
        [
            Graph("a = Conv(x, W, B)", "b = Relu(a)", "y = Conv(b, V)"),
            Graph("a = Conv(x, W, B)", "b = Clip(a, low, high)", "y = Conv(b, V)"),
            Graph("a = Conv(x, W)", "b = Conv(x, V)", "c = Add(a, b)", "d = Relu(c)", "y = Conv(d, K)"),
            Graph("a = Conv(x, W)", "p = GlobalAveragePool(a)", "q = Conv(p, K)", "g = Sigmoid(q)", "m = Mul(a, g)", "y = Conv(m, V)"),
            Graph("a = Conv(x, W)", "b = HardSwish(a)", "y = Conv(b, V)"),
            Graph("a = Conv(x, W)", "g = Sigmoid(a)", "b = Mul(a, g)", "y = Conv(b, V)"),
            Graph("a = Conv(x, W)", "p = GlobalAveragePool(a)", "f = Flatten(p)", "h = Gemm(f, F)", "r = Relu(h)", "y = Gemm(r, F2)")
                .Random("F", 4, 5)
                .Random("F2", 5, 3),
            Graph("a = Conv(x, W)", "r = Relu(a)", "f = Flatten(r)", "y = Gemm(f, F)").Random("F", 4 * 36, 3),
        ])
        {
            ModelProto compiled = NestQuantCompiler.Compile(
                graph.Output("y").Model(), Options(ActivationMode.Static, new MeasuredRanges(X))).Model;
            string[] integers =
            [
                .. compiled.Graph!.Node.Where(
                    static node =>
                        node.Domain == "com.microsoft"
                            || node.OpType is "NestedQLinearConv" or "NestedQLinearGemm" or "QLinearLookup").Select(static node =>
                                node.Output[0])
            ];
            Assert.NotEmpty(integers);
            foreach (string value in integers)
            {
                // The step of an operator adds to those of the operators in front of it.
                ModelProto shown = ModelRunner.Clone(compiled);
                shown.Graph!.Output.Clear();
                shown.Graph.Output.Add(new ValueInfoProto { Name = value });
                DeadCode.Remove(shown.Graph);
                ModelProto exported = Export(shown, bits);
                AssertStandard(exported);
                using InferenceSession session = ModelRunner.Open(exported, optimize: false);
                byte[] expected = ModelRunner.Run(shown, [.. X, ("nest_bits", TensorValue.OfInt32([], bits))])[value].Bytes,
                    actual = ModelRunner.Run(session, X)[value].Bytes;
                int steps = integers.AsSpan().IndexOf(value) + 1;
                Assert.Equal(expected.Length, actual.Length);
                Assert.True(
                    expected.Zip(actual, static (a, b) => Math.Abs(a - b)).Max() <= steps, $"{value} of {string.Join(", ", integers)}");
            }
        }
    }

    public static TheoryData<string> Networks => [.. StaticNetworks.All.Keys];

    /// <summary>Every table is a function again, and every transpose gone.</summary>
    [Theory]
    [MemberData(nameof(Networks))]
    public void WholeNetworksAreExported(string name)
    {
        ModelProto source = StaticNetworks.All[name]();
        (string, TensorValue)[] feeds =
        [
            ("input", TensorValue.Random([.. source.Graph!.Input[0].Type!.TensorType!.Shape!.Dim.Select(static dim => dim.DimValue ?? 0)]))
        ];
        string output = source.Graph.Output[0].Name;
        ModelProto compiled = NestQuantCompiler.Compile(source, Options(ActivationMode.Static, new MeasuredRanges(feeds))).Model,
            exported = Export(compiled, 8);
        AssertStandard(exported);
        Assert.DoesNotContain(exported.AllNodes(), static node => node.OpType is "Transpose" or "Gather" or "Cast");
        using InferenceSession session = ModelRunner.Open(exported, optimize: false);
        Closeness.AssertClose(ModelRunner.Run(compiled, feeds)[output], ModelRunner.Run(session, feeds)[output], 0.02f);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(6)]
    public void OnnxRuntimeRunsItAsQLinearConv(int bits)
    {
        ModelProto compiled = NestQuantCompiler.Compile(
            GoldenModel.Load("digits-cnn-bn"), Options(ActivationMode.Static, new MeasuredRanges(("input", GoldenModel.TestImages)))).Model;
        string folder = Directory.CreateTempSubdirectory("nestquant-").FullName;
        try
        {
            string path = Path.Combine(folder, "optimized.onnx");
            using var options = new SessionOptions
            {
                GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
                OptimizedModelFilePath = path,
                LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
            };
            // Without it, x64 processors that lack VNNI saturate pairs of products at 16 bits.
            options.AddSessionConfigEntry("session.x64quantprecision", "1");
            using InferenceSession session = new(ModelFile.ToBytes(Export(compiled, bits)), options), expected = ModelRunner.Open(compiled);
            Closeness.AssertClose(
                GoldenModel.Logits(expected, GoldenModel.TestImages, bits), GoldenModel.Logits(session, GoldenModel.TestImages), 0.03f);
            string[] ops = [.. ModelFile.Load(path).AllNodes().Select(static node => node.OpType)];
            Assert.Equal(4, ops.Count(static op => op == "QLinearConv"));
            Assert.DoesNotContain("Conv", ops);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The zero points of V, whose values are far from zero, are no int8.</summary>
    [Fact]
    public void AffineWeightsKeepTheirZeroPointsOrBecomeFloat()
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 2, 4, 8, 8)
            .Random("W", 4, 4, 3, 3)
            .Floats("V", [1, 4, 1, 1], 1, 1.01f, 1.02f, 1.03f)
            .Node("first: a = Conv(x, W)")
            .Node("b = Relu(a)")
            .Node("second: y = Conv(b, V)");
        ModelProto compiled = NestQuantCompiler.Compile(
            graph.Output("y").Model(), Options(ActivationMode.Static, new MeasuredRanges(X), WeightScheme.Affine)).Model;
        foreach (int bits in (int[])[8, 6])
        {
            CompileResult result = ModelExport.ToQdq(compiled, new ExportOptions { Bits = bits });
            AssertStandard(result.Model);
            Assert.Null(Assert.Single(result.Decisions.Decisions, static decision => decision.Node == "first").Note);
            Assert.Contains(
                "no int8",
                Assert.Single(result.Decisions.Decisions, static decision => decision.Node == "second").Note!,
                StringComparison.Ordinal);
            Assert.Contains(
                result.Model.Graph!.Initializer,
                static tensor =>
                    tensor is { DataType: TensorDataType.Int8, Name: "W_int8_zero_point" }
                        && tensor.GetBytes().Span.ContainsAnyExcept((byte)0));
            using InferenceSession session = ModelRunner.Open(result.Model, optimize: false);
            Closeness.AssertClose(
                ModelRunner.Run(compiled, [.. X, ("nest_bits", TensorValue.OfInt32([], bits))])["y"],
                ModelRunner.Run(session, X)["y"],
                0.02f);
        }
    }

    [Fact]
    public void ABiasBeyondInt32StaysFloat()
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 2, 4, 8, 8)
            .Random("W", 4, 4, 3, 3)
            .Random("V", 4, 4, 3, 3)
            .Floats("B", [4], 1e9f, 0, 0, 0)
            .Node("conv: a = Conv(x, W, B)")
            .Node("b = Relu(a)")
            .Node("y = Conv(b, V)");
        ModelProto compiled = NestQuantCompiler.Compile(graph.Output("y").Model(), Options(ActivationMode.Static, new MeasuredRanges(X)))
            .Model;
        CompileResult result = ModelExport.ToQdq(compiled, new ExportOptions { Bits = 8 });
        Assert.Contains(
            "overflows int32",
            Assert.Single(result.Decisions.Decisions, static decision => decision.Node == "conv").Note!,
            StringComparison.Ordinal);
    }

    [Fact]
    public void WeightsOfSeveralGroupsAndOrientations()
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 2, 4, 8, 8)
            .Random("W", 4, 2, 3, 3)
            .Random("T", 4, 3, 2, 2)
            .Random("T2", 4, 3, 2, 2)
            .Random("M", 2, 4, 8, 5)
            .Node("a = ConvTranspose(x, T)")
                .Node("b = ConvTranspose(x, T2)", AttributeProto.Int("group", 2))
                .Node("c = MatMul(x, M2)")
                .Node("d = Conv(x, W)", AttributeProto.Int("group", 2))
                .Random("M2", 8, 6)
            .Output("a", "b", "c", "d");
        ModelProto compiled = NestQuantCompiler.Compile(graph.Model(), Options(ActivationMode.Dynamic, null)).Model;
        foreach (int bits in (int[])[8, 6])
        {
            ModelProto exported = Export(compiled, bits);
            AssertStandard(exported);
            Dictionary<string, TensorValue> expected = ModelRunner.Run(compiled, [.. X, ("nest_bits", TensorValue.OfInt32([], bits))]);
            using InferenceSession session = ModelRunner.Open(exported, optimize: false);
            foreach ((string name, TensorValue actual) in ModelRunner.Run(session, X)) Closeness.AssertClose(expected[name], actual, 1e-5f);
        }
    }

    public static TheoryData<string> Functions => [.. GroupNLFunctions.All];

    [Theory]
    [MemberData(nameof(Functions))]
    public void EveryFunctionOfGroupNLIsWrittenOut(string function)
    {
        foreach (string activation in (string[])[ActivationNames.None, ActivationNames.Clip, ActivationNames.HardSwish])
        {
            GraphBuilder graph = new GraphBuilder()
                .Input("x", 2, 4, 8, 8)
                .Random("W", 4, 4, 3, 3)
                .Random("shift", 4)
                .Random("period", 4)
                .Random("scale", 8)
                .Random("bias", 8)
                .Node("c = Conv(x, W)")
                .Node(
                    "y = com.nestquant.GroupNLExpand(c, shift, period, scale, bias)",
                    AttributeProto.IntList("source", 0, 2, 1, 1),
                    AttributeProto.String("function", function),
                    AttributeProto.String("activation", activation),
                    AttributeProto.Float("activation_min", 0));
            ModelProto compiled = NestQuantCompiler.Compile(
                graph.Output("y").Model(domains: "com.nestquant"), Options(ActivationMode.Dynamic, null)).Model;
            Assert.Contains(compiled.AllNodes(), static node => node.OpType == "NestedGroupNLConv");
            ModelProto exported = Export(compiled, 8);
            AssertStandard(exported);
            using InferenceSession session = ModelRunner.Open(exported, optimize: false);
            Closeness.AssertClose(ModelRunner.Run(compiled, X)["y"], ModelRunner.Run(session, X)["y"], 1e-4f);
        }
    }

    [Fact]
    public void BodiesAreExportedToo()
    {
        GraphBuilder then = new GraphBuilder("then").Node("t = Conv(a, V)").Output("t"),
            otherwise = new GraphBuilder("else").Node("e = Neg(a)").Output("e");
        ModelProto source = Graph("a = Conv(x, W)")
            .If("b", then, otherwise)
            .Node("y = Conv(b, U)")
            .Random("U", 4, 4, 1, 1)
            .Output("y")
            .Model();
        (string, TensorValue)[] feeds = [.. X, ("c", TensorValue.OfBool(true))];
        source.Graph!.Node[1].Attribute[1].G!.Node[0] = GraphBuilder.Parse("e = Conv(a, V)");
        ModelProto compiled = NestQuantCompiler.Compile(source, Options(ActivationMode.Static, new MeasuredRanges(feeds))).Model;
        ModelProto exported = Export(compiled, 8);
        AssertStandard(exported);
        using InferenceSession session = ModelRunner.Open(exported, optimize: false);
        Closeness.AssertClose(ModelRunner.Run(compiled, feeds)["y"], ModelRunner.Run(session, feeds)["y"], 0.02f);
    }

    [Fact]
    public void TheExportIsDeterministicAndLeavesTheCompiledModelAlone()
    {
        ModelProto compiled = NestQuantCompiler.Compile(
            GoldenModel.Load("digits-mbv2"), Options(ActivationMode.Static, new MeasuredRanges(("input", GoldenModel.TestImages)))).Model;
        byte[] before = ModelFile.ToBytes(compiled),
            first = ModelFile.ToBytes(Export(compiled, 6)),
            second = ModelFile.ToBytes(Export(compiled, 6));
        Assert.Equal(first, second);
        Assert.Equal(before, ModelFile.ToBytes(compiled));
    }

    [Fact]
    public void WhatCannotBeExportedIsRefused()
    {
        ModelProto source = GoldenModel.Load("digits-cnn");
        Assert.Contains("no nested weights", Assert.Throws<ModelException>(() => Export(source, 8)).Message, StringComparison.Ordinal);
        CompileResult compiled = NestQuantCompiler.Compile(source, Options(ActivationMode.Dynamic, null));
        Assert.Contains(
            "it runs at 8 or 6 bits", Assert.Throws<ModelException>(() => Export(compiled.Model, 7)).Message, StringComparison.Ordinal);
        Assert.Contains(
            "it runs at 6 bits",
            Assert.Throws<ModelException>(() => Export(compiled.CreatePartModel()!, 8)).Message,
            StringComparison.Ordinal);
        AssertStandard(Export(compiled.CreatePartModel()!, 6));
    }

    private static GraphBuilder Graph(params string[] nodes)
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 2, 4, 8, 8)
            .Random("W", 4, 4, 3, 3)
            .Random("V", 4, 4, 3, 3)
            .Random("K", 4, 4, 1, 1)
            .Random("B", 4)
            .Floats("low", [], -0.5f)
            .Floats("high", [], 1.5f);
        foreach (string node in nodes) graph.Node(node);
        return graph;
    }

    private static CompilerOptions Options(
        ActivationMode mode, MeasuredRanges? ranges, WeightScheme scheme = WeightScheme.Symmetric) => new()
        {
            Weights = new() { Bits = new NestedBits(8, 6), Scheme = scheme },
            Activations = new() { Mode = mode, Ranges = ranges },
        };

    private static ModelProto Export(ModelProto compiled, int bits) => ModelExport.ToQdq(compiled, new ExportOptions { Bits = bits }).Model;

    private static void AssertStandard(ModelProto model)
    {
        ModelValidation.Verify(model);
        Assert.All(model.AllNodes(), static node => Assert.True(node.IsDefaultDomain(), $"{node.Domain}.{node.OpType}"));
        Assert.All(model.OpsetImport, static opset => Assert.True(opset.Domain is null or ""));
        Assert.DoesNotContain(model.Graph!.Input, static input => input.Name == "nest_bits");
    }
}
