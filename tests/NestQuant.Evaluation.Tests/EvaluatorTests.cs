using NestQuant.Data;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.TestSupport;

namespace NestQuant.Evaluation.Tests;

/// <summary>Models with several outputs, of which few are classes, and with padding.</summary>
public sealed class EvaluatorTests : IDisposable
{
    /// <summary>Two sentences, the second padded.</summary>
    private static readonly NamedArray[] Sentences =
    [
        new("input_ids", NpyArray.FromInt64s([2, 3], [4, 5, 6, 7, 0, 0])),
        new("attention_mask", NpyArray.FromInt64s([2, 3], [1, 1, 1, 1, 0, 0])),
    ];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_output_has_figures_of_its_own()
    {
        PrecisionResult result = Evaluate(TokenModel.Write(_folder.File("m.onnx"), padding: 0, error: 0.5f)).Precisions[0];

        Assert.Equal(["states", "pooled", "map"], result.Outputs.Select(output => output.Name));
        Assert.Equal(["attention_mask", null, null], result.Outputs.Select(output => output.MaskedBy));
        Assert.All(result.Outputs, output => Assert.InRange(output.Cosine, 0.5, 0.999));
        Assert.Equal([0.5, 0.166667, 0.5], result.Outputs.Select(output => Math.Round(output.LargestError, 6)));
        Assert.Equal(result.Outputs.Min(output => output.SqnrDb), result.SqnrDb);
        // Row 7 of four differs by 0.5 in 4 values: the energy of the others is that of sines.
        double signal = Enumerable.Range(16, 16).Sum(i => Math.Sin(i) * Math.Sin(i));
        Assert.Equal(10 * Math.Log10(signal / (4 * 0.25)), result.Outputs[0].SqnrDb, 1e-3);
    }

    [Fact]
    public void Padding_does_not_count_where_a_mask_says_so()
    {
        string model = TokenModel.Write(_folder.File("m.onnx"), padding: 9);
        PrecisionResult masked = Evaluate(model).Precisions[0];
        Assert.Equal([true, true, false], masked.Outputs.Select(output => double.IsPositiveInfinity(output.SqnrDb)));

        string other = TokenModel.Write(_folder.File("n.onnx"), padding: 9, mask: "keep");
        NamedArray[] inputs = [.. Sentences, new("keep", Sentences[1].Array)];
        Assert.True(double.IsFinite(Evaluate(other, inputs, mask: null).Precisions[0].Outputs[0].SqnrDb));
        Assert.Equal("keep", Evaluate(other, inputs, mask: "keep").Precisions[0].Outputs[0].MaskedBy);

        NamedArray[] more = [.. Sentences, new("positions", NpyArray.FromInt64s([2, 3], [0, 0, 0, 0, 1, 1]))];
        Assert.Equal(9, Evaluate(model, more, "positions").Precisions[0].Outputs[0].LargestError, 1e-6);
    }

    [Theory]
    [InlineData("none", "there is no mask 'none'")]
    [InlineData("zeros", "mask 'zeros' is 0 everywhere")]
    [InlineData("wide", "mask 'wide' of shape [2, 7] fits no output")]
    public void A_mask_that_does_not_fit_is_said(string mask, string message)
    {
        string model = TokenModel.Write(_folder.File("m.onnx"), padding: 0);
        NamedArray[] inputs =
        [
            .. Sentences, new("zeros", NpyArray.FromInt64s([2, 3], new long[6])),
            new("wide", NpyArray.FromInt64s([2, 7], new long[14])),
        ];
        Assert.Contains(
            message, Assert.Throws<ModelException>(() => Evaluate(model, inputs, mask)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_fixed_axis_is_not_masked_by_an_open_one_of_the_same_length()
    {
        string model = TokenModel.Write(_folder.File("m.onnx"), padding: 0);
        NamedArray[] four =
        [
            new("input_ids", NpyArray.FromInt64s([1, 4], [1, 2, 3, 0])), new("attention_mask", NpyArray.FromInt64s([1, 4], [1, 1, 1, 0])),
        ];
        Assert.Equal([true, false, false], Evaluate(model, four, null).Precisions[0].Outputs.Select(output => output.MaskedBy is not null));
    }

    [Fact]
    public void Only_scores_of_samples_are_classes()
    {
        string model = TokenModel.Write(_folder.File("m.onnx"), padding: 0);
        Assert.Null(Evaluate(model, outputs: ["states"]).Precisions[0].Agreement);
        Assert.Null(Evaluate(model, outputs: ["map"]).Precisions[0].Agreement);
        Assert.Equal(1, Evaluate(model, outputs: ["pooled", "map"]).Precisions[0].Agreement);
        Assert.Equal(
            ["pooled", "map"], Evaluate(model, outputs: ["pooled", "map"]).Precisions[0].Outputs.Select(output => output.Name));
    }

    [Fact]
    public void Outputs_that_cannot_be_compared_are_said()
    {
        string model = TokenModel.Write(_folder.File("m.onnx"), padding: 0);
        Assert.Contains(
            "there is no output 'logits': the model has 'states', 'pooled', 'map'",
            Assert.Throws<ModelException>(() => Evaluate(model, outputs: ["logits"])).Message,
            StringComparison.Ordinal);

        using ModelSession session = ModelSession.Open(model, threads: 1, new LoadOptions());
        using ModelSession classifier = ModelSession.Open(TemporaryFolder.GoldenModel("digits-cnn.onnx"), threads: 1, new LoadOptions());
        Assert.Contains(
            "there is no output 'states' to compare with",
            Assert.Throws<ModelException>(() => new Evaluator(session, classifier, bits: null).Run(Data(Sentences), default))
                .Message,
            StringComparison.Ordinal);
    }

    private EvaluationResult Evaluate(string model, IReadOnlyList<NamedArray>? inputs = null, string? mask = null, string[]? outputs = null)
    {
        string original = TokenModel.Write(_folder.File("reference.onnx"), padding: 0);
        using ModelSession session = ModelSession.Open(model, threads: 1, new LoadOptions());
        using ModelSession reference = ModelSession.Open(original, threads: 1, new LoadOptions());
        return new Evaluator(session, reference, bits: null) { Mask = mask, Outputs = outputs }
            .Run(Data(inputs ?? Sentences), CancellationToken.None);
    }

    private Dataset Data(IReadOnlyList<NamedArray> inputs)
    {
        string folder = Directory.CreateDirectory(_folder.File("data")).FullName;
        foreach (NamedArray input in inputs) input.Array.Write(Path.Combine(folder, input.Name + ".npy"));
        return Dataset.Open(folder);
    }
}
