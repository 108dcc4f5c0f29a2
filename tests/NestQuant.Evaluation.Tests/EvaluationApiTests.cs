using NestQuant.Data;
using NestQuant.Evaluation.Benchmarking;
using NestQuant.Evaluation.Inspection;
using NestQuant.Onnx.Files;
using NestQuant.TestSupport;

namespace NestQuant.Evaluation.Tests;

/// <summary>What the commands evaluate, inspect and bench do, from code.</summary>
public class EvaluationApiTests
{
    private static readonly string Cnn = TemporaryFolder.GoldenModel("digits-cnn.onnx");
    private static readonly string Images = TemporaryFolder.GoldenModel("test-images.npy");
    private static readonly string Labels = TemporaryFolder.GoldenModel("test-labels.npy");

    [Fact]
    public void A_model_is_evaluated_over_a_data_set()
    {
        using ModelSession model = ModelSession.Open(Cnn, threads: 1, new LoadOptions());
        Dataset data = Dataset.Open(Images, new DatasetOptions { Labels = Labels });

        EvaluationResult result = new Evaluator(model, reference: null, bits: null).Run(data, CancellationToken.None);

        Assert.Equal(data.Count, result.Samples);
        Assert.Equal(0.988, result.ReferenceTop1!.Value, 6);
        PrecisionResult precision = Assert.Single(result.Precisions);
        Assert.Equal((32, 1.0, double.PositiveInfinity), (precision.Bits, precision.Agreement, precision.SqnrDb));
    }

    [Fact]
    public void A_model_is_inspected()
    {
        ModelInspection inspection = ModelInspection.Of(Cnn, new LoadOptions());
        Assert.Empty(inspection.Nested);
        Assert.False(inspection.IsPart);
        Assert.Equal(Cnn, Assert.Single(inspection.Files).Path);
        Assert.True(inspection.Weights.Bytes > 0);
    }

    [Fact]
    public void Models_are_measured_side_by_side()
    {
        var options = new BenchOptions(Threads: 1, Runs: 2, Batch: 1, Inputs: [], SessionConfig: []);
        IReadOnlyList<Bench.Subject> subjects = Bench.Subjects(Cnn, [Cnn], bits: null, new LoadOptions());
        var bench = new Bench(options, (subject, stored) => ModelMemory.OfThisProcess(subject.Model, subject.Bits, stored));

        BenchResult result = bench.Run(subjects, CancellationToken.None);

        Assert.Equal(2, result.Models.Count);
        Assert.All(result.Models, model => Assert.True(model.Latency.LeastMs > 0 && model.Memory.ResidentBytes > 0));
        Assert.Null(result.Switch);
    }
}
