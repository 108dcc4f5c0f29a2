using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Passes.GroupNL;
using NestQuant.Passes.GroupNL.Expansion;
using NestQuant.Passes.GroupNL.Recognition;
using NestQuant.Passes.Tests.GoldenModels;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;
using Snapshooter;
using Snapshooter.Xunit;

namespace NestQuant.Passes.Tests.GroupNL;

/// <summary>Convolutions become GroupNL blocks: which, with which filters, and what the blocks compute.</summary>
public sealed class GroupNLExpandPassTests
{
    private static readonly GroupNLExpandOptions Named = new() { Include = ["c"] };

    public static TheoryData<string, bool, int, int, bool, long> Forms => new()
    {
        // options, bias, inputs, outputs, depthwise, operator set
        { "r=2,g=4", true, 6, 8, false, 17 },
        { "r=2,g=1,sparse", false, 6, 12, false, 18 },
        { "r=3,g=2,seed=5", true, 4, 15, false, 13 },
        { "r=4,g=3", false, 4, 16, false, 11 },
        { "r=3,g=1", true, 4, 9, false, 18 },
        { "r=3,g=2", true, 4, 9, false, 21 },
        { "r=2,g=3,period=0.5:9,shift=-2:2", true, 12, 12, true, 17 },
        { "r=2,g=4,function=gaussian", true, 6, 8, false, 17 },
        { "r=3,g=2,function=multiquadric", false, 4, 9, false, 11 },
        { "r=2,g=2,function=inverse_quadratic,period=0.5:2", true, 6, 8, false, 18 },
        { "r=2,g=1,sparse,function=inverse_multiquadric", false, 6, 12, false, 21 },
        { "r=2,g=2,function=monomial", true, 6, 8, false, 17 },
        { "r=2,g=2,power=2,function=monomial", false, 6, 8, false, 13 },
        { "r=2,g=2,function=monomial,power=5,period=0.5:1", false, 6, 8, false, 11 },
    };

    /// <summary>
    /// The standard form, run by ONNX Runtime, is the definition computed here in float64 from the maps of the seed convolution.
    /// </summary>
    [Theory]
    [MemberData(nameof(Forms))]
    public void BlocksComputeWhatThePaperDefines(string text, bool biased, int inputs, int outputs, bool depthwise, long opset)
    {
        GroupNLExpandOptions options = GroupNLExpandOptions.Parse(text) with { Include = ["c"] };
        PassRun run = Expand(One(biased, inputs, outputs, depthwise), options, opset);
        TensorValue x = TensorValue.Random(2, inputs, 5, 5);
        run.Graph.Output.Add(new ValueInfoProto { Name = run.Graph.Node[0].Output[0] });
        Dictionary<string, TensorValue> results = ModelRunner.Run(run.Model, ("x", x));
        float[] seeds = results[run.Graph.Node[0].Output[0]].Floats, bias = biased ? Initializer(run, "y_bias") : new float[outputs];
        int count = outputs / options.Ratio, copies = options.Ratio - 1, pixels = 25;
        float[] shifts = Initializer(run, "y_shifts"), periods = Initializer(run, "y_periods");
        int[] sources = Sources(count, options.Groups, copies);
        Assert.Equal(outputs - count, sources.Length);
        Assert.Equal(options.Groups * copies, shifts.Distinct().Count());
        Assert.All(periods, period => Assert.InRange(period, options.Period.Low, options.Period.High));
        Assert.All(shifts, shift => Assert.InRange(shift, options.Shift.Low, options.Shift.High));

        var expected = new float[2 * outputs * pixels];
        for (int n = 0; n < 2; n++)
        {
            for (int p = 0; p < pixels; p++)
            {
                double norm = Math.Sqrt(Enumerable.Range(0, count).Sum(c => Math.Pow(seeds[(((n * count) + c) * pixels) + p], 2)));
                for (int c = 0; c < outputs; c++)
                {
                    double seed = seeds[(((n * count) + (c < count ? c : sources[c - count])) * pixels) + p] / Math.Max(norm, 1e-12);
                    double map = c < count ? seed : Definition(options.Function, (seed - shifts[c - count]) * periods[c - count]);
                    expected[(((n * outputs) + c) * pixels) + p] = (float)(map + bias[c]);
                }
            }
        }

        Closeness.AssertClose(TensorValue.Of([2, outputs, 5, 5], expected), results["y"], 2e-6f);
    }

    /// <summary>The fusing pass recognises every form, and its operator computes the same.</summary>
    [Theory]
    [MemberData(nameof(Forms))]
    public void TheFusedFormIsTheSame(string text, bool biased, int inputs, int outputs, bool depthwise, long opset)
    {
        PassRun run = Expand(One(biased, inputs, outputs, depthwise), GroupNLExpandOptions.Parse(text) with { Include = ["c"] }, opset);
        PassRun fused = PassRun.Preserving(new GroupNLFusePass(), run.Model, 1e-5f, ("x", TensorValue.Random(2, inputs, 5, 5)));
        Assert.Equal(biased ? ["Conv", "GroupNLExpand", "Add"] : ["Conv", "GroupNLExpand"], fused.Ops);
        GroupNLFunction function = GroupNLExpandOptions.Parse(text).Function;
        Assert.Equal(function.Name, fused.Graph.Node[1].GetString("function", ""));
        Assert.Equal(function.Power, fused.Graph.Node[1].GetInt("power", 0));
    }

    [Theory]
    [InlineData("digits-cnn", "")]
    [InlineData("digits-cnn-bn", "sparse")]
    [InlineData("digits-mbv2", "")]
    [InlineData("digits-gnl", "")]
    public void PlacementIsAsCheckedIn(string model, string options)
    {
        DecisionLog log = NestQuantCompiler.Compile(
            GoldenModel.Load(model), new CompilerOptions { GroupNL = new() { Expansion = GroupNLExpandOptions.Parse(options) } }).Decisions;
        IEnumerable<string> lines = log.Decisions.Where(static decision => decision.Pass == GroupNLExpandPass.PassName)
            .Select(static decision => $"{decision.Node}: {(decision.Rewritten ? decision.Note : $"kept: {decision.Reason}")}");
        Snapshot.Match(
            string.Join('\n', lines) + "\n",
            new SnapshotFullName($"{model}.placement.txt", Path.Combine(Checkout.Root, "tests", "NestQuant.Passes.Tests", "GroupNL")));
    }

    [Theory]
    [InlineData("digits-cnn")]
    [InlineData("digits-cnn-bn")]
    [InlineData("digits-mbv2")]
    public void FormsOfAWholeModelAgree(string name)
    {
        ModelProto standard = Compile("seed=3"), fused = Compile("seed=3,form=fused");
        using var before = ModelRunner.Open(standard);
        using var after = ModelRunner.Open(fused);
        Closeness.AssertClose(GoldenModel.Logits(before, GoldenModel.TestImages), GoldenModel.Logits(after, GoldenModel.TestImages), 1e-5f);
        Assert.DoesNotContain(standard.Graph!.Node, static node => node.OpType == "GroupNLExpand");
        Assert.Contains(fused.Graph!.Node, static node => node.OpType == "GroupNLExpand");
        Assert.Equal(ModelFile.ToBytes(standard), ModelFile.ToBytes(Compile("seed=3")));
        Assert.NotEqual(ModelFile.ToBytes(standard), ModelFile.ToBytes(Compile("seed=4")));
        byte[] bytes = ModelFile.ToBytes(standard);
        Assert.Equal(bytes, ModelFile.ToBytes(NestQuantCompiler.Compile(standard, Options("seed=3")).Model));

        ModelProto Compile(string options) => NestQuantCompiler.Compile(GoldenModel.Load(name), Options(options)).Model;

        static CompilerOptions Options(string options) => new()
        {
            GroupNL = new() { Expansion = GroupNLExpandOptions.Parse(options) },
        };
    }

    [Fact]
    public void BatchNormStaysBehindTheBlockForTraining()
    {
        ModelProto model = NestQuantCompiler.Compile(
            GoldenModel.Load("digits-cnn-bn"), new CompilerOptions { GroupNL = new() { Expansion = new GroupNLExpandOptions() } }).Model;
        NodeProto join = model.Graph!.Node.Last(static node => node.OpType == "Concat");
        Assert.Contains(model.Graph.Node, node => node.OpType == "BatchNormalization" && node.Input[0] == join.Output[0]);
        Assert.Contains(
            "groupnl=expand:r=2,g=4,seed=0,form=standard,period=1:2,shift=1:5",
            model.MetadataProps.Single(static entry => entry.Key == Provenance.OptionsKey).Value,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("r=16", "a ratio of 16 leaves no seed for its 8 outputs")]
    [InlineData("r=3", "its 8 outputs are not a multiple of the ratio 3")]
    [InlineData("r=4", "its 2 seeds are fewer than the 4 groups")]
    public void ImpossibleRatiosAreNamed(string options, string reason) =>
        Assert.Contains(
            reason,
            Refusal(One(biased: false, 4, 8), GroupNLExpandOptions.Parse(options) with { Include = ["c"] }),
            StringComparison.Ordinal);

    [Theory]
    [InlineData("", "r=2,g=4,seed=0,form=standard,period=1:2,shift=1:5,function=sine")]
    [InlineData("function=gaussian", "r=2,g=4,seed=0,form=standard,period=1:7,shift=-1:1,function=gaussian")]
    [
        InlineData(
            "shift=0:0,function=inverse_quadratic,period=2:3",
            "r=2,g=4,seed=0,form=standard,period=2:3,shift=0:0,function=inverse_quadratic")
    ]
    [InlineData("power=4,function=monomial", "r=2,g=4,seed=0,form=standard,period=1:2,shift=-1:1,function=monomial,power=4")]
    public void OptionsAreWrittenOutAndReadBack(string text, string written)
    {
        GroupNLExpandOptions options = GroupNLExpandOptions.Parse(text);
        Assert.Equal(written, options.ToString());
        Assert.Equal(written, GroupNLExpandOptions.Parse(written).ToString());
    }

    [Theory]
    [InlineData("function=cosine", "sine, gaussian, multiquadric, inverse_quadratic, inverse_multiquadric, monomial are possible")]
    [InlineData("power=3", "'power' is the exponent of function=monomial: sine has none")]
    [InlineData("function=monomial,power=1", "'power=1': an integer of at least 2")]
    [InlineData("function=monomial,power=17", "'power=17': 16 is the greatest power")]
    public void ImpossibleFunctionsAreNamed(string text, string message) =>
        Assert.Contains(message, Assert.Throws<FormatException>(() => GroupNLExpandOptions.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void AModelWithNothingToExpandIsRefused()
    {
        Assert.Contains(
            "it is the first convolution (stem)", Refusal(One(biased: false, 4, 8), new GroupNLExpandOptions()), StringComparison.Ordinal);
        Assert.Contains(
            "has no Conv",
            Refusal(new GraphBuilder().Input("x", 2).Node("y = Neg(x)").Output("y"), new GroupNLExpandOptions()),
            StringComparison.Ordinal);
    }

    [Fact]
    public void APatternThatMatchesNothingIsRefused()
    {
        Assert.Contains(
            "the include pattern 'd*'",
            Refusal(One(biased: false, 4, 8), new GroupNLExpandOptions { Include = ["d*"] }),
            StringComparison.Ordinal);
        Assert.Contains(
            "the exclude pattern 'd*'", Refusal(One(biased: false, 4, 8), Named with { Exclude = ["d*"] }), StringComparison.Ordinal);
    }

    [Fact]
    public void OldOperatorSetsAndBrokenWeightsAreRefused()
    {
        Assert.Contains("operator set 10", Refusal(One(biased: false, 4, 8), Named, opset: 10), StringComparison.Ordinal);
        GraphBuilder broken = new GraphBuilder()
            .Input("x", 1, 1, 3, 3)
            .Floats("W", [8, 1, 1, 1], 1, 2, 3, float.NaN, 5, 6, 7, 8)
            .Node("c: y = Conv(x, W)")
            .Output("y");
        Assert.Contains("not finite", Refusal(broken, Named), StringComparison.Ordinal);
    }

    [Fact]
    public void WhatCannotBeExpandedIsKept()
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 1, 4, 5, 5)
            .Input("V", 8, 4, 1, 1)
            .Random("W", 8, 4, 1, 1)
            .Random("U", 8, 8, 3, 3)
            .Node("a: a = Conv(x, V)").Node("b: b = Conv(x, W)").Node("s: s = Add(a, b)").Node("c: y = Conv(s, U)").Output("y");
        PassRun run = Expand(graph, new GroupNLExpandOptions());
        Assert.Equal("its weight is not a float32 constant", run.ReasonFor("a"));
        Assert.Equal("it is the first convolution (stem)", run.ReasonFor("b"));
        Assert.Equal("8 outputs -> 4 seeds (dense) + 4 generated; parameters 576 -> 288; MACs 5,184 -> 2,592", run.About("c").Note);
        Assert.EndsWith(
            "1 of 3 Conv expanded; parameters 608 -> 320; MACs unknown: some sizes are not known; the expanded model needs training",
            run.About("test").Note,
            StringComparison.Ordinal);
    }

    [Fact]
    public void ASharedWeightStaysForItsOtherReader()
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 1, 8, 5, 5)
            .Random("W", 8, 8, 3, 3)
            .Node("a: a = Conv(x, W)")
            .Node("c: y = Conv(a, W)")
            .Output("y");
        PassRun run = Expand(graph, Named);
        Assert.True(run.HasInitializer("W"));
        Assert.Contains("parameters 576 -> 864", run.About("test").Note, StringComparison.Ordinal);
    }

    private static double Definition(GroupNLFunction function, double u) => function.Name switch
    {
        "gaussian" => Math.Exp(-u * u),
        "multiquadric" => Math.Sqrt(1 + (u * u)),
        "inverse_quadratic" => 1 / (1 + (u * u)),
        "inverse_multiquadric" => 1 / Math.Sqrt(1 + (u * u)),
        "monomial" => Math.Sign(u) * Math.Pow(Math.Abs(u), function.Power),
        _ => Math.Sin(u),
    };

    private static PassRun Expand(GraphBuilder graph, GroupNLExpandOptions options, long opset = 17) =>
        PassRun.Of(new GroupNLExpandPass(options), graph.Model(opset));

    private static string Refusal(GraphBuilder graph, GroupNLExpandOptions options, long opset = 17) =>
        Assert.Throws<ModelException>(() => new GroupNLExpandPass(options).Run(new ModelContext(graph.Model(opset)))).Message;

    /// <summary>A single 3x3 convolution "c" from x to y.</summary>
    private static GraphBuilder One(bool biased, int inputs, int outputs, bool depthwise = false)
    {
        GraphBuilder graph = new GraphBuilder().Input("x", -1, inputs, 5, 5).Random("W", outputs, depthwise ? 1 : inputs, 3, 3);
        if (biased) graph.Random("B", outputs);
        return graph.Node(
            biased ? "c: y = Conv(x, W, B)" : "c: y = Conv(x, W)",
            AttributeProto.Int("group", depthwise ? inputs : 1),
            AttributeProto.IntList("pads", 1, 1, 1, 1)).Output("y");
    }

    private static float[] Initializer(PassRun run, string name) => run.Graph.Initializer.Single(tensor => tensor.Name == name).ToFloats();

    /// <summary>
    /// The seed of every generated map: all maps of a group, copy after copy, group after group; the first group has the remainder.
    /// </summary>
    private static int[] Sources(int seeds, int groups, int copies)
    {
        var sources = new List<int>();
        for (int group = 0, first = 0; group < groups; group++)
        {
            int size = (seeds / groups) + (group == 0 ? seeds % groups : 0);
            for (int copy = 0; copy < copies; copy++) sources.AddRange(Enumerable.Range(first, size));
            first += size;
        }

        return [.. sources];
    }
}
