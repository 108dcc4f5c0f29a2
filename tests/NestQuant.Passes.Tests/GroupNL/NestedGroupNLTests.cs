using Microsoft.ML.OnnxRuntime;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.GroupNL;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.GoldenModels;
using NestQuant.Passes.Tests.Models;
using NestQuant.Passes.Tests.Nesting;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.GroupNL;

/// <summary>Fusion and nesting together: the seed convolution with nested weights and the expansion as its epilogue.</summary>
public sealed class NestedGroupNLTests
{
    private static readonly CompilerOptions Options = new() { Weights = new() { Bits = new NestedBits(8, 6) } };

    [Fact]
    public void ASeedConvolutionTakesTheExpansionOver()
    {
        CompileResult result = Compile(Block().Node("y = Relu(h)").Output("y").Model());
        Assert.Equal(
            ["DynamicQuantizeLinear", "Transpose", "NestedGroupNLConv", "Transpose"],
            result.Model.AllNodes().Select(static node => node.OpType));
        NodeProto nested = result.Model.Graph!.Node[2];
        Assert.Equal(13, nested.Input.Count);
        Assert.Equal(["h_shift_1", "h_period_1", "", "", "nest_bits"], nested.Input.TakeLast(5));
        Assert.Equal("clip", nested.GetString("activation", ""));
        Assert.Equal([1, 1, 1, 1], nested.GetInts("pads")!);
        Decision decision = Assert.Single(result.Decisions.Decisions, static decision => decision is { Pass: "nesting", Rewritten: true });
        Assert.Equal("with GroupNLExpand 'h' in its epilogue", decision.Note);
    }

    [Fact]
    public void EveryLevelKeepsItsScaleAndBias()
    {
        var bits = new NestedBits(8, 6, 3);
        ModelProto together = Fused(isOutput: false), apart = Fused(isOutput: true);
        Assert.Contains(together.AllNodes(), static node => node.OpType == "NestedGroupNLConv");
        Assert.Contains(apart.AllNodes(), static node => node.OpType == "NestedConv");
        foreach (int level in bits.Levels)
        {
            (string, TensorValue)[] feeds =
                [("x", TensorValue.Random(2, 3, BlockForm.Side, BlockForm.Side)), ("nest_bits", TensorValue.OfInt32([], level))];
            Closeness.AssertClose(ModelRunner.Run(apart, feeds)["h"], ModelRunner.Run(together, feeds)["h"], 1e-6f);
        }

        ModelProto Fused(bool isOutput)
        {
            ModelProto model = Block().Output("h").Model();
            if (isOutput) model.Graph!.Output.Add(new ValueInfoProto { Name = "c" });
            new GroupNLFusePass().Run(new ModelContext(model));
            LevelForm.Nest(model, bits, ActivationMode.Dynamic);
            return model;
        }
    }

    /// <summary>The one operator yields what the nested convolution and the expansion after it yield.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("y = Relu(h)")]
    [InlineData("g = BatchNormalization(h, gamma, beta, mean, var)\ny = HardSwish(g)")]
    public void TheOperatorYieldsWhatTheTwoYield(string next)
    {
        GraphBuilder graph = Block()
            .Random("gamma", 16)
            .Random("beta", 16)
            .Random("mean", 16)
            .Floats("var", [16], [.. Enumerable.Repeat(0.5f, 16)]);
        foreach (string line in next.Split('\n', StringSplitOptions.RemoveEmptyEntries)) graph.Node(line);
        string output = next.Length == 0 ? "h" : "y";
        ModelProto source = graph.Output(output).Model(), apart = ModelRunner.Clone(source);
        apart.Graph!.Output.Add(new ValueInfoProto { Name = "c" }); // an output keeps the convolution and the expansion apart
        ModelProto together = Compile(source).Model;
        apart = Compile(apart).Model;
        Assert.Contains(together.AllNodes(), static node => node.OpType == "NestedGroupNLConv");
        Assert.Contains(apart.AllNodes(), static node => node.OpType == "NestedConv");
        foreach (int bits in (int[])[8, 6])
        {
            (string, TensorValue)[] feeds =
            [
                ("x", TensorValue.Random(2, 3, BlockForm.Side, BlockForm.Side)), ("nest_bits", TensorValue.OfInt32([], bits))
            ];
            Closeness.AssertClose(ModelRunner.Run(apart, feeds)[output], ModelRunner.Run(together, feeds)[output], 1e-6f);
        }
    }

    [Fact]
    public void WithFloatActivationsTheExpansionStaysByItself()
    {
        ModelProto model = NestQuantCompiler.Compile(
            Block().Output("h").Model(), Options with { Activations = new() { Mode = ActivationMode.WeightOnly } }).Model;
        Assert.Equal(["NestedFloatConv", "GroupNLExpand"], model.AllNodes().Select(static node => node.OpType));
    }

    [Fact]
    public void AnotherReaderOfTheSeedsKeepsThemApart()
    {
        ModelProto model = Compile(Block().Node("z = Relu(c)").Output("h", "z").Model()).Model;
        Assert.Equal(
            ["NestedConv", "GroupNLExpand"],
            model.AllNodes()
                .Select(static node => node.OpType)
                .Where(static op => op is "NestedConv" or "GroupNLExpand" or "NestedGroupNLConv"));
    }

    [Fact]
    public void AnExcludedConvolutionKeepsItsExpansion()
    {
        ModelProto model = NestQuantCompiler.Compile(
            Block().Output("h").Model(), Options with { Weights = Options.Weights with { Exclude = ["c"] } }).Model;
        Assert.Equal(["Conv", "GroupNLExpand"], model.AllNodes().Select(static node => node.OpType));
    }

    [Fact]
    public void ThePartModelHasNoLowOperand()
    {
        CompileResult result = Compile(Block().Output("h").Model());
        ModelProto part = result.CreatePartModel()!;
        Assert.Equal("", part.AllNodes().Single(static node => node.OpType == "NestedGroupNLConv").Input[4]);
        TensorValue x = TensorValue.Random(2, 3, BlockForm.Side, BlockForm.Side);
        Assert.Equal(
            ModelRunner.Run(result.Model, ("x", x), ("nest_bits", TensorValue.OfInt32([], 6)))["h"].Bytes,
            ModelRunner.Run(part, ("x", x))["h"].Bytes);
    }

    [Theory]
    [InlineData("digits-gnl")]
    [InlineData("digits-gnl-sparse")]
    public void AccuracyStaysWithinOnePoint(string name)
    {
        using InferenceSession float32 = ModelRunner.Open(GoldenModel.Load(name));
        double expected = GoldenModel.Top1(GoldenModel.Logits(float32, GoldenModel.TestImages), GoldenModel.TestLabels);
        ModelProto model = NestQuantCompiler.Compile(GoldenModel.Load(name), Options).Model;
        Assert.Equal(2, model.AllNodes().Count(static node => node.OpType == "NestedGroupNLConv"));
        using InferenceSession session = ModelRunner.Open(model);
        foreach (int bits in (int[])[8, 6])
        {
            double top1 = GoldenModel.Top1(GoldenModel.Logits(session, GoldenModel.TestImages, bits), GoldenModel.TestLabels);
            Assert.InRange(top1, expected - 1, expected + 1);
        }
    }

    private static GraphBuilder Block()
    {
        var form = new BlockForm { Result = "h" };
        return form.AddTo(form.Seed(new GraphBuilder(), "c"), "c");
    }

    private static CompileResult Compile(ModelProto model) => NestQuantCompiler.Compile(model, Options);
}
