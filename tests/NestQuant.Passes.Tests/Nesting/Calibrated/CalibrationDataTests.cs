using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Nesting.Calibrated;
using NestQuant.Passes.Tests.Calibration;
using NestQuant.Passes.Tests.GoldenModels;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;
using static NestQuant.Passes.Tests.Nesting.Calibrated.CalibratedCompile;

namespace NestQuant.Passes.Tests.Nesting.Calibrated;

/// <summary>Data that is wrong, scarce or dead, and data that does not fit into memory.</summary>
[Collection(SequentialTests.Name)]
public sealed class CalibrationDataTests
{
    [Fact]
    public void DataOfAnotherModelIsRefused()
    {
        using var data = new ArrayData([2, 1, 9, 9], new float[162]);
        Assert.Contains("input 'input' takes shape [?, 1, 8, 8], the data has [1, 1, 9, 9]", Failure(data), StringComparison.Ordinal);
    }

    [Fact]
    public void DataThatIsNotFiniteIsRefused()
    {
        var values = new float[3 * 64];
        values[150] = float.NaN;
        using var data = new ArrayData([3, 1, 8, 8], values);
        string message = Failure(data);
        Assert.Contains("data.npy: sample 2", message, StringComparison.Ordinal);
        Assert.Contains("NaN", message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnOverflowNamesSampleAndNode()
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", -1, 4)
            .Random("w", 4, 4)
            .Floats("large", [], 1e38f)
            .Node("a = Mul(x, large)")
            .Node("head: y = MatMul(a, w)")
            .Output("y");
        using var data = new ArrayData([2, 4], 1, 1, 1, 1, 1, 1, 100, 1);

        string message = Assert.Throws<ModelException>(() => Run(graph.Model(), data)).Message;
        Assert.EndsWith(
            "data.npy: sample 1: the input of MatMul 'head' has the value Infinity: the model overflows on this data",
            message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void ScarceDataIsNoted()
    {
        using ArrayData few = new([3, 8], Ramp(24)), enough = new([8, 8], Ramp(64));

        Assert.Contains(
            "rounded for 3 positions, fewer than its 8 weights per channel",
            Assert.Single(Run(Product(), few)).Note,
            StringComparison.Ordinal);
        Assert.DoesNotContain("positions", Assert.Single(Run(Product(), enough)).Note ?? "", StringComparison.Ordinal);

        static ModelProto Product() =>
            new GraphBuilder().Input("x", -1, 8).Random("w", 8, 4).Node("y = MatMul(x, w)").Output("y").Model();
    }

    /// <summary>Every output of the network is constant on the data, and so it stays.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(0.5f)]
    public void DeadInputsAreRoundedAllTheSame(float value)
    {
        using var data = new ArrayData([4, 1, 8, 8], [.. Enumerable.Repeat(value, 4 * 64)]);
        ModelProto source = GoldenModel.Load("digits-cnn");
        ModelProto model = NestQuantCompiler.Compile(source, Options(Weights("8:4", data))).Model;

        TensorValue image = TensorValue.Of([1, 1, 8, 8], Enumerable.Repeat(value, 64).ToArray());
        Closeness.AssertClose(
            ModelRunner.Run(source, ("input", image))["logits"],
            ModelRunner.Run(model, ("input", image), ("nest_bits", TensorValue.OfInt32([], 4)))["logits"],
            1e-4f);
    }

    [Fact]
    public void AModelWithoutWeightsIsLeftAlone()
    {
        GraphBuilder graph = new GraphBuilder().Input("x", -1, 4).Node("y = Relu(x)").Output("y");
        using var data = new ArrayData([1, 4], new float[4]);
        Assert.Empty(Run(graph.Model(), data));
    }

    [Fact]
    public void RoundingForDataNeedsData()
    {
        foreach (WeightOptions options in (WeightOptions[])[
            new() { Rounding = WeightRounding.Calibrated },
            new() { SplitRounding = WeightRounding.Calibrated },
            new() { Rules = [new WeightRule { Operator = "Conv", Rounding = WeightRounding.Calibrated }] },
            new() { Range = WeightRange.Calibrated },
            new() { Budget = new BitBudget { Bytes = 1 } }])
        {
            WeightOptions weights = options with { Bits = new NestedBits(8, 4) };
            Assert.Contains("give a Calibration", Refusal(() => new NestingPass(weights)), StringComparison.Ordinal);
        }

        using ArrayData data = Digits();
        Assert.Contains("at least 1 is needed", Refusal(() => new WeightCalibration(data.Set) { Samples = 0 }), StringComparison.Ordinal);
    }

    /// <summary>Values that lie in files are those that lie in memory.</summary>
    [Fact]
    public void MemoryChangesNoWeight()
    {
        using ArrayData data = Digits();
        Assert.Equal(Levels(data, long.MaxValue), Levels(data, 0));
    }

    private static IEnumerable<sbyte> Levels(ArrayData data, long limit)
    {
        ModelProto model = GoldenModel.Load("digits-cnn");
        GraphView main = GraphView.Of(model.MainGraph());
        NestingCandidate[] candidates = NestingCandidates.Find(main, Weights("8:3", data));
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = 2 };
        var calibrated = new CalibratedModel(main, candidates, CalibratedNester.WithoutData(candidates, parallel));
        using CalibrationSamples samples = CalibrationSamples.Read(model, data.Set, 16, limit);
        new LevelCalibration(model, samples, [], parallel, limit).Run(
            [.. calibrated.Layers.Select(static pair => pair.Layer)], calibrated.Weights.Values, 3, static _ => { });
        return [.. calibrated.Weights.Values.SelectMany(static weight => weight[3].Integers)];
    }

    private static string Failure(ArrayData data) => Assert.Throws<ModelException>(
        () => NestQuantCompiler.Compile(GoldenModel.Load("digits-cnn"), Options(Weights("8:4", data)))).Message;

    private static string Refusal(Func<object> create) => Assert.ThrowsAny<ArgumentException>(create).Message;

    private static IReadOnlyList<Decision> Run(ModelProto model, ArrayData data)
    {
        var context = new ModelContext(model);
        new NestingPass(Weights("8:4", data), ActivationMode.WeightOnly).Run(context);
        return context.Decisions.Decisions;
    }

    private static float[] Ramp(int count) => [.. Enumerable.Range(0, count).Select(static i => (float)Math.Sin(i * i))];
}
