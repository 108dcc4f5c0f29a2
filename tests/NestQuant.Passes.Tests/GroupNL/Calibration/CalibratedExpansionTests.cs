using System.Globalization;
using System.Text.RegularExpressions;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Passes.GroupNL;
using NestQuant.Passes.GroupNL.Expansion;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.GroupNL.Calibration;

/// <summary>What reads an expanded convolution is refitted, or the convolution is left as it was.</summary>
public sealed class CalibratedExpansionTests
{
    private const int Images = 90, Height = 4, Width = 5;

    private static readonly GroupNLExpandOptions Named = new() { Groups = 2, Include = ["c"] };

    public static TheoryData<string> Consumers => new()
    {
        "plain", "padded", "strided", "biased", "two", "gemm", "gemm-transposed", "pooled", "residual",
    };

    /// <summary>
    /// The seeds of unit vectors (see <see cref="Circle"/>) are unit vectors, of which the maps of the original are linear functions: so
    /// the refitted consumers can yield exactly what they did, whatever they are.
    /// </summary>
    [Theory]
    [MemberData(nameof(Consumers))]
    public void AConsumerThatCanReproduceItsOutputsDoes(string kind)
    {
        using CalibrationData data = CalibrationData.UnitVectors(Images, Height, Width);
        ModelProto model = WithConsumer(kind).Model();
        TensorValue x = TensorValue.Of([Images, 2, Height, Width], CalibrationData.Vectors(Images, Height * Width));
        TensorValue expected = ModelRunner.Run(model, ("x", x))["y"];
        PassRun run = PassRun.Of(new GroupNLExpandPass(Named, data.Calibration), model);
        Assert.Contains("Sin", run.Ops);
        Assert.Contains("refitted 'd' (relative error 0.0000)", run.About("c").Note, StringComparison.Ordinal);
        Assert.Contains($"refitted on {Images} samples", run.About("test").Note, StringComparison.Ordinal);
        Closeness.AssertClose(expected, ModelRunner.Run(run.Model, ("x", x))["y"], 2e-4f);
    }

    /// <summary>Without the refit the same consumers yield something else: the test above can fail.</summary>
    [Fact]
    public void WithoutTheRefitTheOutputsDiffer()
    {
        ModelProto model = WithConsumer("plain").Model();
        TensorValue x = TensorValue.Of([Images, 2, Height, Width], CalibrationData.Vectors(Images, Height * Width));
        float[] expected = ModelRunner.Run(model, ("x", x))["y"].Floats;
        new GroupNLExpandPass(Named).Run(new ModelContext(model));
        Assert.True(expected.Zip(ModelRunner.Run(model, ("x", x))["y"].Floats, static (a, b) => Math.Abs(a - b)).Max() > 0.1);
    }

    [Theory]
    [InlineData("grouped", "its consumer 'd' (Conv) cannot be refitted: it is grouped (group = 2)")]
    [InlineData("output", "its maps reach the output 'm' of the model")]
    [InlineData("residual-output", "its maps reach the output 'y' of the model")]
    [InlineData("matmul", "its consumer 'd' (MatMul) cannot be refitted: only Conv and Gemm can")]
    [InlineData("shared", "its consumer 'd' (Conv) cannot be refitted: its weight is shared with other nodes")]
    [InlineData("auto-pad", "its auto_pad is SAME_UPPER")]
    [InlineData("one-of-two", "its consumer 'e' (Softmax) cannot be refitted: only Conv and Gemm can")]
    [InlineData("large", "it has 4100 weights per output: at most 4096 can be refitted")]
    public void WhatCannotBeRefittedIsKept(string kind, string reason) => AssertKept(WithConsumer(kind), Images, budget: 0.1, reason);

    [Fact]
    public void TooFewSamplesAreRefused() =>
        AssertKept(
            WithConsumer("gemm"),
            images: 20,
            budget: 0.1,
            "the calibration data gives 20 positions for its 81 unknowns per output: more data is needed");

    /// <summary>Vectors of any length: what the normalisation loses no consumer can bring back.</summary>
    [Fact]
    public void WhatStaysAboveTheBudgetIsKeptAndWhatIsBelowIsExpanded()
    {
        using var data = new CalibrationData([Images, 2, Height, Width], TensorValue.Random(Images, 2, Height, Width).Floats);
        PassRun tight = PassRun.Of(new GroupNLExpandPass(Named, data.Calibration), WithConsumer("plain").Model());
        Assert.False(tight.Changed);
        string kept = tight.ReasonFor("c");
        Assert.Matches(
            @"^refitting its consumer 'd' leaves a relative error of 0\.[1-9]\d{3} on the calibration data, above the budget of 0\.1$",
            kept);

        // What the summary proposes is enough.
        string proposal = Regex.Match(
            tight.ReasonFor("test"), @"^no Conv is expanded; a larger budget accepts 1 more, about from (0\.\d{4}) for 'c'$")
            .Groups[1]
            .Value;
        double budget = double.Parse(proposal, CultureInfo.InvariantCulture);
        PassRun loose = PassRun.Of(new GroupNLExpandPass(Named, data.Calibration with { Budget = budget }), WithConsumer("plain").Model());
        Assert.True(loose.Changed);
        Assert.Contains(Regex.Match(kept, @"0\.\d{4}").Value, loose.About("c").Note, StringComparison.Ordinal);
    }

    /// <summary>The second convolution is expanded from its refitted filters, and undone alone.</summary>
    [Fact]
    public void OneLayerIsUndoneWithoutTheOther()
    {
        using CalibrationData data = CalibrationData.UnitVectors(Images, Height, Width);
        GraphBuilder graph = Circle()
            .Random("D", 8, 4, 3, 3)
            .Node("d: d = Conv(m, D)", AttributeProto.IntList("pads", 1, 1, 1, 1))
            .Random("E", 3, 8, 1, 1)
            .Node("e: y = Conv(d, E)")
            .Output("y");
        PassRun run = PassRun.Of(new GroupNLExpandPass(Named with { Include = ["c", "d"] }, data.Calibration), graph.Model());
        Assert.True(run.About("c").Rewritten);
        Assert.Contains("refitting its consumer 'e'", run.ReasonFor("d"), StringComparison.Ordinal);
        Assert.Contains("1 of 3 Conv expanded", run.About("test").Note, StringComparison.Ordinal);
        Assert.Matches(@"; a larger budget accepts 1 more, about from 0\.\d{4} for 'd'$", run.About("test").Note);
        Assert.Equal(2, run.Graph.Initializer.Count(static tensor => tensor.Name is "D" or "E"));
        Assert.Single(run.Ops, static op => op == "Sin");
    }

    [Fact]
    public void DataThatDoesNotFitIsRefused()
    {
        Assert.Contains(
            "takes shape [?, 2, 4, 5], the data has [9, 3, 4, 5]", Refusal([9, 3, 4, 5], new float[540]), StringComparison.Ordinal);
        Assert.Contains("takes shape [?, 2, 4, 5], the data has [9, 41]", Refusal([9, 41], new float[369]), StringComparison.Ordinal);
        float[] broken = new float[80];
        broken[77] = float.NaN;
        Assert.Contains("not finite", Refusal([2, 2, 4, 5], broken), StringComparison.Ordinal);
        Assert.Contains(
            "no samples", Assert.Throws<ModelException>(() => new CalibrationData([0, 2, 4, 5], [])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void NumbersThatMeanNothingAreRefused()
    {
        using CalibrationData data = CalibrationData.UnitVectors(1, Height, Width);
        Assert.Throws<ArgumentOutOfRangeException>(() => data.Calibration with { Budget = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => data.Calibration with { Budget = double.NaN });
        Assert.Throws<ArgumentOutOfRangeException>(() => data.Calibration with { Ridge = -1 });
    }

    /// <summary>A model that fixes its batch takes full ones: the 10 samples left of 90 are not used.</summary>
    [Fact]
    public void AFixedBatchIsFed()
    {
        using CalibrationData data = CalibrationData.UnitVectors(Images, Height, Width);
        ModelProto model = WithConsumer("plain", batch: 16).Model();
        PassRun run = PassRun.Of(new GroupNLExpandPass(Named, data.Calibration), model);
        Assert.Contains("relative error 0.0000", run.About("c").Note, StringComparison.Ordinal);
    }

    private static void AssertKept(GraphBuilder graph, int images, double budget, string reason)
    {
        using CalibrationData data = CalibrationData.UnitVectors(images, Height, Width);
        PassRun run = PassRun.Of(new GroupNLExpandPass(Named, data.Calibration with { Budget = budget }), graph.Model());
        Assert.False(run.Changed);
        Assert.Contains(reason, run.ReasonFor("c"), StringComparison.Ordinal);
    }

    private static string Refusal(long[] shape, float[] values)
    {
        using var data = new CalibrationData(shape, values);
        return Assert.Throws<ModelException>(
            () => new GroupNLExpandPass(Named, data.Calibration).Run(new ModelContext(WithConsumer("plain").Model()))).Message;
    }

    /// <summary>
    /// Convolution "c" from x to m, whose first and third filters are the largest ones, orthogonal and of length 2: they become the seeds.
    /// Only without a bias are the maps linear functions of the seeds in a padded border, too.
    /// </summary>
    private static GraphBuilder Circle(int batch = -1, bool biased = false)
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", batch, 2, Height, Width)
            .Floats("W", [4, 2, 1, 1], 2, 0, 0.1f, 0.3f, 0, 2, -0.4f, 0.2f);
        if (biased) graph.Floats("B", [4], 0.1f, 0.2f, -0.3f, 0.4f);
        return graph.Node(biased ? "c: m = Conv(x, W, B)" : "c: m = Conv(x, W)");
    }

    private static GraphBuilder WithConsumer(string kind, int batch = -1)
    {
        GraphBuilder graph = Circle(batch, kind is "biased" or "gemm" or "pooled");
        AttributeProto pads = AttributeProto.IntList("pads", 1, 1, 1, 1);
        return kind switch
        {
            "plain" => graph.Random("D", 3, 4, 1, 1).Node("d: y = Conv(m, D)").Output("y"),
            "padded" => graph.Random("D", 3, 4, 3, 3).Node("d: y = Conv(m, D)", pads).Output("y"),
            "strided" =>
                graph.Random("D", 3, 4, 2, 3)
                    .Node(
                        "d: y = Conv(m, D)",
                        AttributeProto.IntList("pads", 0, 2, 1, 0),
                        AttributeProto.IntList("strides", 2, 1),
                        AttributeProto.IntList("dilations", 2, 1))
                    .Output("y"),
            "biased" =>
                graph.Random("D", 3, 4, 1, 1)
                    .Random("E", 3)
                    .Node("i: i = Identity(m)")
                    .Node("d: e = Conv(i, D, E)")
                    .Node("r: y = Relu(e)")
                    .Output("y"),
            "two" =>
                graph.Random("D", 3, 4, 1, 1)
                    .Random("E", 3, 4, 3, 3)
                    .Node("d: d = Conv(m, D)")
                    .Node("e: e = Conv(m, E)", pads)
                    .Node("a: y = Add(d, e)")
                    .Output("y"),
            "gemm" =>
                graph.Node("f: f = Flatten(m)")
                    .Random("D", 80, 3)
                    .Random("E", 1, 3)
                    .Node("d: y = Gemm(f, D, E)", AttributeProto.Float("alpha", 0.5f), AttributeProto.Float("beta", 2))
                    .Output("y"),
            "gemm-transposed" =>
                graph.Node("f: f = Flatten(m)").Random("D", 3, 80).Node("d: y = Gemm(f, D)", AttributeProto.Int("transB", 1)).Output("y"),
            "pooled" =>
                graph.Node("p: p = AveragePool(m)", AttributeProto.IntList("kernel_shape", 2, 2))
                    .Random("D", 3, 4, 1, 1)
                    .Node("d: y = Conv(p, D)")
                    .Output("y"),
            // The sum goes into a consumer and, past it, into another sum, behind which there is a second one.
            "residual" =>
                graph.Random("V", 4, 2, 1, 1)
                    .Node("v: v = Conv(x, V)")
                    .Node("a: a = Add(v, m)")
                    .Random("D", 3, 4, 3, 3)
                    .Node("d: d = Conv(a, D)", pads)
                .Node("s: s = Add(a, v)").Random("E", 3, 4, 1, 1).Node("e: e = Conv(s, E)").Node("t: y = Add(d, e)").Output("y"),
            "grouped" => graph.Random("D", 4, 2, 1, 1).Node("d: y = Conv(m, D)", AttributeProto.Int("group", 2)).Output("y"),
            "output" => graph.Random("D", 3, 4, 1, 1).Node("d: y = Conv(m, D)").Output("y", "m"),
            "residual-output" => graph.Random("V", 4, 2, 1, 1).Node("v: v = Conv(x, V)").Node("a: y = Add(v, m)").Output("y"),
            "matmul" => graph.Random("D", 5, 3).Node("d: y = MatMul(m, D)").Output("y"),
            "shared" => graph.Random("D", 4, 4, 1, 1).Node("d: d = Conv(m, D)").Node("e: y = Conv(d, D)").Output("y"),
            "auto-pad" =>
                graph.Random("D", 3, 4, 3, 3).Node("d: y = Conv(m, D)", AttributeProto.String("auto_pad", "SAME_UPPER")).Output("y"),
            "one-of-two" => graph.Random("D", 3, 4, 1, 1).Node("d: y = Conv(m, D)").Node("e: z = Softmax(m)").Output("y", "z"),
            "large" =>
                graph.Random("D", 1, 4, 41, 25).Node("d: y = Conv(m, D)", AttributeProto.IntList("pads", 20, 12, 20, 12)).Output("y"),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "unknown"),
        };
    }
}
