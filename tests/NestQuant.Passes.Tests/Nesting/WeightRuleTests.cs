using Microsoft.ML.OnnxRuntime;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Integer.ActivationQuantization;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Nesting;

/// <summary>Other settings for some nodes: which rule wins, what is refused, and what the nodes then run at.</summary>
public sealed class WeightRuleTests
{
    private static readonly NestedBits Eight = new(8, 6), Six = new(6, 4), Five = new(5, 3), Four = new(4, 2);

    private static readonly (string, TensorValue) X = ("x", TensorValue.Random(2, 4, 8, 8));

    [Fact]
    public void TheMostSpecificRuleGivesASetting()
    {
        var byOperator = new WeightRule { Operator = "Conv", Bits = Eight };
        var byPattern = new WeightRule { Name = "*one", Bits = Six };
        var byBoth = new WeightRule { Name = "*", Operator = "Conv", Bits = Five };
        var byName = new WeightRule { Name = "/one", Bits = Four };
        Assert.Equal(Eight, Bits(byOperator));
        Assert.Equal(Six, Bits(byOperator, byPattern));
        Assert.Equal(Five, Bits(byOperator, byPattern, byBoth));
        Assert.Equal(Four, Bits(byOperator, byPattern, byBoth, byName));
        Assert.Equal(Four, Bits(byName, byBoth, byPattern, byOperator));
        Assert.Equal(new NestedBits(7, 5), Bits(byName with { Name = "/other" }, byOperator with { Operator = "Gemm" }));

        static NestedBits Bits(params WeightRule[] rules) => Settings(rules).Quantization!.Bits;
    }

    [Fact]
    public void SettingsThatASpecificRuleLeavesOpenComeFromTheOthers()
    {
        WeightSettings settings = Settings(
            new WeightRule { Name = "/one", Bits = Four },
            new WeightRule { Operator = "Conv", Scheme = WeightScheme.Affine, WeightOnly = true, Exclude = true },
            new WeightRule { Name = "/*", Rounding = WeightRounding.Nearest, Exclude = false });
        Assert.Equal(
            new WeightQuantization(Four, WeightScheme.Affine, WeightRounding.Nearest, WeightRounding.Nearest), settings.Quantization);
        Assert.True(settings.WeightOnly);
        Assert.Null(settings.Reason);
    }

    [Fact]
    public void RulesOfOneSpecificityThatContradictEachOtherAreRefused()
    {
        WeightRule one = new() { Name = "/o*", Bits = Six }, another = new() { Name = "*ne", Bits = Five };
        string message = Assert.Throws<ModelException>(() => Settings(one, another)).Message;
        Assert.Contains(
            "the bits of node '/one': the one for name '/o*' says 6:4, the one for name '*ne' 5:3", message, StringComparison.Ordinal);
        Assert.Equal(Six, Settings(one, another with { Bits = Six }).Quantization!.Bits);
        Assert.Equal(Four, Settings(one, another, new WeightRule { Name = "/one", Bits = Four }).Quantization!.Bits);
    }

    [Theory]
    [InlineData(
        "fisrt", null,
        "the rule for name 'fisrt' matches no Conv, ConvTranspose, Gemm, MatMul, Gather, LSTM, GRU or RNN of the model")]
    [InlineData("fisrt", null, "near it: 'first', ")]
    [InlineData("first", "Gemm", "the rule for name 'first', operator Gemm matches no")]
    [InlineData(null, "Relu", "the rule for operator Relu matches no")]
    public void ARuleThatMatchesNothingIsRefused(string? name, string? op, string message) => Assert.Contains(
        message,
        Assert.Throws<ModelException>(
            () => Nest(new WeightRule { Name = name, Operator = op, Bits = Six })).Message,
        StringComparison.Ordinal);

    [Fact]
    public void OptionsThatNoModelCanHaveAreRefused()
    {
        Refuse(new WeightOptions { Rules = [new WeightRule { Name = "a", Exclude = true }] }, "neither Bits nor a rule gives bit widths");
        Refuse(new WeightOptions { Bits = Eight, Rules = [new WeightRule { Bits = Six }] }, "rule 1 needs a Name or an Operator");
        Refuse(new WeightOptions { Bits = Eight, Rules = [new WeightRule { Name = "a" }] }, "rule 1 (name 'a') gives no setting");
        Refuse(new WeightOptions { Bits = Eight, Rounding = WeightRounding.Floor }, "Floor is a SplitRounding");

        static void Refuse(WeightOptions options, string message) =>
            Assert.Contains(message, Assert.Throws<ArgumentException>(() => new NestingPass(options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TwoReadersOfOneWeightHaveOneSetting()
    {
        ModelProto model = new GraphBuilder().Input("x", 2, 4, 8, 8).Random("W", 4, 4, 1, 1)
            .Node("first: a = Conv(x, W)").Node("second: y = Conv(a, W)").Output("y").Model();
        var rule = new WeightRule { Name = "first", Bits = Six };
        string message = Assert.Throws<ModelException>(() => Nest(model, rule)).Message;
        Assert.Contains(
            "weight 'W' is read by 'first' and 'second', which rules give different settings", message, StringComparison.Ordinal);
        Assert.Equal(
            2, Nest(model, rule, new WeightRule { Name = "second", Bits = Six }).Decisions.Count(static decision => decision.Rewritten));
    }

    /// <summary>
    /// A model whose weights have different n: full precision is the default, and every decision names the bits of its node.
    /// </summary>
    [Fact]
    public void ANodeHasTheBitsThatItsRuleGives()
    {
        PassRun run = Nest(new WeightRule { Name = "second", Bits = Six }, new WeightRule { Name = "third", WeightOnly = true });
        Assert.Equal("8:6", run.About("first").Nesting!.Bits);
        Assert.Equal("6:4", run.About("second").Nesting!.Bits);
        Assert.Equal("weight-only: a rule says so", run.About("third").Note);
        Assert.Equal(["8:6", "6:4", "8:6"], NestedOperator.Of(run.Model).Select(static nested => $"{nested.Layout.Bits}"));
        Assert.Equal([8], run.Graph.Initializer.Single(static tensor => tensor.Name == PrecisionInput.Name).ToInt32s());
        Assert.Equal(2, run.Ops.Count(static op => op == "NestedConv"));
    }

    /// <summary>
    /// At 6 bits a weight of 8:6 is at part precision and one of 6:4 at full precision, in ONNX Runtime as in the definition.
    /// </summary>
    [Fact]
    public void AModelOfMixedBitsRunsEachNodeAtItsOwn()
    {
        var options = new WeightOptions { Bits = Eight, Rules = [new WeightRule { Name = "second", Bits = Six }] };
        ModelProto mixed = Compile(options, ActivationMode.WeightOnly), reference = Convs();
        IReadOnlyList<NestedOperator> nested = NestedOperator.Of(mixed);
        SetWeight(reference, "W", nested[0], part: true);
        SetWeight(reference, "V", nested[1], part: false);
        SetWeight(reference, "U", nested[2], part: true);
        TensorValue actual = ModelRunner.Run(mixed, X, (PrecisionInput.Name, TensorValue.OfInt32([], 6)))["y"];
        Closeness.AssertClose(ModelRunner.Run(reference, X)["y"], actual, 1e-5f);
    }

    [Fact]
    public void PairsWithOneFullWidthRunAtFullPrecisionByDefault()
    {
        var options = new WeightOptions
        {
            Bits = Eight,
            Rules = [new WeightRule { Operator = "Conv", Name = "s*", Bits = new NestedBits(8, 4) }],
        };
        ModelProto mixed = Compile(options, ActivationMode.Dynamic),
            plain = Compile(new WeightOptions { Bits = Eight }, ActivationMode.Dynamic);
        Assert.Equal(ModelRunner.Run(plain, X)["y"].Bytes, ModelRunner.Run(mixed, X)["y"].Bytes);
    }

    [Fact]
    public void MixedBitsGiveTheSameBytesForAnyNumberOfThreads()
    {
        byte[] one = Bytes(1), again = Bytes(1), two = Bytes(2);
        Assert.Equal(one, again);
        Assert.Equal(one, two);

        static byte[] Bytes(int threads) => ModelFile.ToBytes(NestQuantCompiler.Compile(Convs(), new CompilerOptions
        {
            Weights = new() { Bits = Eight, Rules = [new WeightRule { Name = "second", Bits = Five, Scheme = WeightScheme.Affine }] },
            Threads = threads,
        }).Model);
    }

    [Fact]
    public void AWeightOnlyNodeKeepsFloatActivationsAmongStaticOnes()
    {
        var options = new CompilerOptions
        {
            Weights = new() { Bits = Eight, Rules = [new WeightRule { Name = "third", WeightOnly = true }] },
            Activations = new() { Mode = ActivationMode.Static, Ranges = new MeasuredRanges(X) },
        };
        CompileResult result = NestQuantCompiler.Compile(Convs(), options);
        Assert.Contains(result.Model.AllNodes(), static node => node.OpType == "NestedQLinearConv");
        Assert.Equal("third", Assert.Single(result.Model.AllNodes(), static node => node.OpType == "NestedFloatConv").Name);
        Assert.Equal(
            "a rule says so",
            result.Decisions.Decisions.Single(static d => d is { Pass: "activation-quantization", Node: "third" }).Reason);
        using InferenceSession session = ModelRunner.Open(result.Model);
        Closeness.AssertClose(ModelRunner.Run(Convs(), X)["y"], ModelRunner.Run(session, X)["y"], 0.1f);
    }

    [Fact]
    public void OnlyWhatARuleGivesBitsIsNestedWithoutBitsForAll()
    {
        PassRun run = PassRun.Of(new NestingPass(new WeightOptions { Rules = [new WeightRule { Name = "second", Bits = Six }] }), Convs());
        Assert.Equal("no rule gives it bit widths", run.ReasonFor("first"));
        Assert.True(run.About("second").Rewritten);
    }

    [Fact]
    public void IncludeNamesTheOnlyNodesAndExcludeWins()
    {
        var options = new WeightOptions { Bits = Eight, Include = ["first", "second"], Exclude = ["s*"] };
        PassRun run = PassRun.Of(new NestingPass(options), Convs());
        Assert.True(run.About("first").Rewritten);
        Assert.Equal("excluded by 's*'", run.ReasonFor("second"));
        Assert.Equal("no include pattern names it", run.ReasonFor("third"));
    }

    [Fact]
    public void OneWeightIsNotNestedTwiceInAPipeline()
    {
        PassPipeline pipeline = new PassPipeline()
            .Use(new NestingPass(new WeightOptions { Bits = Eight, Include = ["first"] }))
            .Use(new NestingPass(new WeightOptions { Bits = Six }));
        string message = Assert.Throws<ModelException>(() => NestQuantCompiler.Compile(Convs(), pipeline)).Message;
        Assert.Contains("the weight of node 'first' was nested at 8:6 earlier in this pipeline", message, StringComparison.Ordinal);

        PassPipeline apart = new PassPipeline()
            .Use(new NestingPass(new WeightOptions { Bits = Eight, Include = ["first"] }))
            .Use(new NestingPass(new WeightOptions { Bits = Six, Exclude = ["first"] }));
        Assert.Equal(3, NestedOperator.Of(NestQuantCompiler.Compile(Convs(), apart).Model).Count);
    }

    private static WeightSettings Settings(params WeightRule[] rules) =>
        WeightSettings.Of(new WeightOptions { Bits = new NestedBits(7, 5), Rules = rules }, "/one", "Conv");

    private static PassRun Nest(params WeightRule[] rules) => Nest(Convs(), rules);

    private static PassRun Nest(ModelProto model, params WeightRule[] rules) =>
        PassRun.Of(new NestingPass(new WeightOptions { Bits = Eight, Rules = rules }), model.Clone());

    private static ModelProto Compile(WeightOptions weights, ActivationMode mode) =>
        NestQuantCompiler.Compile(Convs(), new CompilerOptions { Weights = weights, Activations = new() { Mode = mode } }).Model;

    private static ModelProto Convs() => new GraphBuilder()
        .Input("x", 2, 4, 8, 8)
        .Random("W", 4, 4, 3, 3)
        .Random("V", 4, 4, 3, 3)
        .Random("U", 4, 4, 1, 1)
        .Node("first: a = Conv(x, W)")
        .Node("second: b = Conv(a, V)")
        .Node("third: y = Conv(b, U)")
        .Output("y")
        .Model();

    private static void SetWeight(ModelProto model, string name, NestedOperator nested, bool part)
    {
        TensorProto tensor = model.MainGraph().Initializer.Single(tensor => tensor.Name == name);
        float[] scales = nested.Scale.ToFloats();
        sbyte[] integers = nested.Integers(part ? nested.Layout.Bits.High : nested.Layout.Bits.Full);
        int perChannel = integers.Length / scales.Length;
        float[] weights = [.. integers.Select((integer, i) => integer * scales[i / perChannel])];
        tensor.RawData = TensorProto.FromFloats(name, [.. tensor.Dims], weights).RawData;
    }
}
