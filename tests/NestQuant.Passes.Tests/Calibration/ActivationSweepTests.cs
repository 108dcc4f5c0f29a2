using System.Text;
using NestQuant.Compiler.Calibration;
using NestQuant.Compiler.Pipeline;
using NestQuant.Data;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Passes.Calibration;
using NestQuant.Passes.Tests.GoldenModels;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Calibration;

/// <summary>One sweep sees every float activation of the main graph, on every sample.</summary>
public sealed class ActivationSweepTests
{
    private static readonly Dataset TrainingImages = Dataset.Open(
        Path.Combine(AppContext.BaseDirectory, "golden-models", "train-images.npy"));

    [Fact]
    public void TheStatisticsAreThoseOfTheValues()
    {
        float[] x = [-2, 0, 1, 3, 0.5f, -1];
        using var data = new ArrayData([3, 2], x);
        GraphBuilder graph = new GraphBuilder()
            .Input("x", -1, 2)
            .Floats("two", [], 2)
            .Node("d = Mul(x, two)")
            .Node("y = Relu(d)")
            .Output("y");

        CalibrationStatistics statistics = Sweep(graph.Model(), data.Set);

        Assert.Equal(3, statistics.Samples);
        Assert.Equal(["d", "x", "y"], statistics.Values.Keys);
        AssertOf(x, statistics.Values["x"]);
        AssertOf(Array.ConvertAll(x, static value => 2 * value), statistics.Values["d"]);
        AssertOf(Array.ConvertAll(x, static value => Math.Max(2 * value, 0)), statistics.Values["y"]);
    }

    /// <summary>
    /// Against a run of all images at once: the kernels may round differently for a batch, so extremes agree to a few units in the last
    /// place.
    /// </summary>
    [Theory]
    [InlineData("digits-cnn")]
    [InlineData("digits-mbv2")]
    [InlineData("digits-gnl")]
    public void EveryActivationOfAGoldenModelIsSeen(string name)
    {
        ModelProto model = Prepared(name);
        CalibrationStatistics statistics = Sweep(model, TrainingImages);

        ModelProto all = ModelRunner.Clone(model);
        all.Graph!.Output.Clear();
        all.Graph.Output.AddRange(
            all.Graph.Node.SelectMany(static node => node.Output).Select(static value => new ValueInfoProto { Name = value }));
        TensorValue images = GoldenModel.Images(TrainingImages.Path);
        Dictionary<string, TensorValue> values = ModelRunner.Run(all, ("input", images));
        Assert.Equal(values.Keys.Append("input").Order(StringComparer.Ordinal), statistics.Values.Keys);
        foreach ((string value, TensorValue tensor) in values.Append(KeyValuePair.Create("input", images)))
        {
            float[] floats = tensor.Floats;
            ActivationStatistics seen = statistics.Values[value];
            Assert.Equal(floats.Length, seen.Count);
            float tolerance = 1e-5f * Math.Max(floats.Max(), -floats.Min());
            Assert.Equal(floats.Min(), seen.Min, tolerance);
            Assert.Equal(floats.Max(), seen.Max, tolerance);
            double width = seen.Histogram.BinWidth;
            Assert.InRange(
                seen.Histogram[0],
                floats.Count(v => v > tolerance && v < width - tolerance),
                floats.Count(v => v != 0 && v >= -tolerance && v < width + tolerance));
        }
    }

    [Fact]
    public void TheNumberOfThreadsChangesNothing()
    {
        ModelProto model = Prepared("digits-cnn");
        string one = Json(Sweep(model, TrainingImages, threads: 1));
        Assert.Equal(one, Json(Sweep(model, TrainingImages, threads: 4)));
    }

    [Fact]
    public void TheModelStaysAsItIsAndProgressIsTold()
    {
        ModelProto model = Prepared("digits-cnn");
        byte[] before = ModelFile.ToBytes(model);
        using var data = new ArrayData([5, 1, 8, 8], TensorValue.Random(5, 1, 8, 8).Floats);
        var told = new List<PassProgress>();
        new DataCalibration(data.Set).Sweep(new ModelContext(model) { Threads = 1, Progress = new Told(told) }, "");
        Assert.Equal(before, ModelFile.ToBytes(model));
        Assert.Equal([1, 2, 3, 4, 5], told.Select(static progress => progress.Done));
        Assert.All(told, static progress => Assert.Equal(("calibration", 5), (progress.Pass, progress.Total)));
    }

    /// <summary>Constants, integers, and what follows from a shape alone are no activations.</summary>
    [Fact]
    public void OnlyFloatsThatCarryDataAreSwept()
    {
        using var data = new ArrayData([2, 3], 1, 2, 3, 4, 5, 6);
        GraphBuilder graph = new GraphBuilder().Input("x", -1, 3).Floats("w", [], 0.5f)
            .Node("shape = Shape(x)")
                .Node("length = Cast(shape)", AttributeProto.Int("to", (long)TensorDataType.Float))
                .Node("half = Mul(length, w)")
            .Node("index = ArgMax(x)").Node("scaled = Mul(x, w)").Node("y = ReduceMean(scaled)").Output("y", "half", "index");
        Assert.Equal(["scaled", "x", "y"], Sweep(graph.Model(), data.Set).Values.Keys);
    }

    /// <summary>A value that a body captures makes its node's outputs carry data.</summary>
    [Fact]
    public void WhatABodyReadsCounts()
    {
        using var data = new ArrayData([2, 3], 1, 2, 3, 4, 5, 6);
        GraphProto then = new GraphBuilder("then").Node("t = Neg(x)").Output("t").Graph,
            otherwise = new GraphBuilder("else").Node("e = Abs(x)").Output("e").Graph;
        GraphBuilder graph = new GraphBuilder().Input("x", -1, 3).Constant(TensorProto.FromBytes("yes", TensorDataType.Bool, [], [1]))
            .Node("y = If(yes)", AttributeProto.Graph("then_branch", then), AttributeProto.Graph("else_branch", otherwise)).Output("y");
        Assert.Equal(-6, Sweep(graph.Model(), data.Set).Values["y"].Min);
    }

    [Theory]
    [InlineData(float.NaN, "NaN")]
    [InlineData(float.PositiveInfinity, "Infinity")]
    [InlineData(float.NegativeInfinity, "-Infinity")]
    public void DataThatIsNotFiniteIsRefusedByName(float value, string name)
    {
        using var data = new ArrayData([3, 2], 1, 2, 3, 4, 5, value);
        Assert.Contains(
            $"data.npy: sample 2: the data for input 'x' has the value {name}",
            Refusal(Reciprocal(-1), data.Set),
            StringComparison.Ordinal);
    }

    [Fact]
    public void AnActivationThatIsNotFiniteIsRefusedByName()
    {
        using var data = new ArrayData([4, 2], 1, 2, 3, 0, 5, 6, 7, 8);
        Assert.Contains(
            "data.npy: sample 1: the activation 'y' has the value Infinity: the model overflows on this data",
            Refusal(Reciprocal(-1), data.Set),
            StringComparison.Ordinal);
    }

    [Fact]
    public void ASampleOfAFixedBatchIsFound()
    {
        using var data = new ArrayData([7, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 11, 12, 13, 14]);
        Assert.Contains("sample 4: the activation 'y'", Refusal(Reciprocal(3), data.Set), StringComparison.Ordinal);
    }

    /// <summary>A model that fixes its batch takes full ones only.</summary>
    [Fact]
    public void WhatIsLeftOfFixedBatchesIsNotCounted()
    {
        using var data = new ArrayData([7, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 14]);
        CalibrationStatistics statistics = Sweep(Reciprocal(3), data.Set);
        Assert.Equal((6, 12), (statistics.Samples, statistics.Values["y"].Count));
    }

    /// <summary>A sequence of length 0 has no values, and so none that are not finite.</summary>
    [Fact]
    public void ASampleWithoutElementsAddsNothing()
    {
        GraphBuilder graph = new GraphBuilder().Input("x", -1, -1, 2).Node("y = Relu(x)").Output("y");
        using var data = new ArrayData([3, 0, 2]);
        CalibrationStatistics statistics = Sweep(graph.Model(), data.Set);
        Assert.Equal((3, 0, 0), (statistics.Samples, statistics.Values["x"].Count, statistics.Values["y"].Count));
        Assert.Null(new DataCalibration(data.Set).RangesOf(new ModelContext(graph.Model())).Of("y"));
    }

    [Fact]
    public void DataOfAnotherShapeIsRefused()
    {
        using var data = new ArrayData([2, 3], 1, 2, 3, 4, 5, 6);
        Assert.Contains("input 'x' takes shape [?, 2], the data has [1, 3]", Refusal(Reciprocal(-1), data.Set), StringComparison.Ordinal);
        Assert.Contains("no samples", Assert.Throws<ModelException>(static () => new ArrayData([0, 2])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnOperatorLibraryThatIsNoneIsRefused()
    {
        using var data = new ArrayData([1, 2], 1, 2);
        Assert.Contains("missing.so: no such operator library", Refusal(Reciprocal(-1), data.Set, "missing.so"), StringComparison.Ordinal);
        Assert.Contains(
            "is not a library of ONNX Runtime operators", Refusal(Reciprocal(-1), data.Set, data.Set.Path), StringComparison.Ordinal);
    }

    private static ModelProto Reciprocal(long batch) =>
        new GraphBuilder().Input("x", batch, 2).Node("y = Reciprocal(x)").Output("y").Model();

    private static ModelProto Prepared(string name)
    {
        ModelProto model = GoldenModel.Load(name);
        NestQuantCompiler.CreatePipeline(new CompilerOptions()).Run(new ModelContext(model));
        return model;
    }

    private static CalibrationStatistics Sweep(ModelProto model, Dataset data, int threads = 2) =>
        new DataCalibration(data).Sweep(new ModelContext(model) { Threads = threads }, "");

    private static string Refusal(ModelProto model, Dataset data, params string[] customOps) =>
        Assert.Throws<ModelException>(
            () => new DataCalibration(data) { CustomOps = customOps }.Sweep(new ModelContext(model) { Threads = 2 }, "")).Message;

    private static void AssertOf(float[] values, ActivationStatistics statistics)
    {
        var expected = new ActivationStatistics();
        expected.Add(values);
        Assert.Equal(Json(expected), Json(statistics));
    }

    private static string Json(ActivationStatistics statistics) =>
        Json(new CalibrationStatistics("", 0, [KeyValuePair.Create("a", statistics)]));

    private static string Json(CalibrationStatistics statistics)
    {
        using var output = new MemoryStream();
        CalibrationJson.Write(output, statistics, "1.0.0");
        return Encoding.UTF8.GetString(output.ToArray());
    }

    private sealed class Told(List<PassProgress> all) : IProgress<PassProgress>
    {
        public void Report(PassProgress value) => all.Add(value);
    }
}
