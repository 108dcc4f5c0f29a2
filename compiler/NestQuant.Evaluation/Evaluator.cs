using NestQuant.Data;
using NestQuant.Onnx;
using NestQuant.Passes.Nesting;

namespace NestQuant.Evaluation;

/// <summary>Runs a model over a data set at one or more precisions and compares its outputs with a reference's and with labels.</summary>
/// <param name="model">The model.</param>
/// <param name="reference">
/// What to compare with; null for the outputs that the data expects, else for the model itself at its highest precision.
/// </param>
/// <param name="bits">Precisions; null for all that the model has.</param>
public sealed class Evaluator(ModelSession model, ModelSession? reference, IReadOnlyList<int>? bits)
{
    private const int FloatBits = 32;
    private const int DefaultBatch = 32;

    private readonly IReadOnlyList<int> _bits = bits ?? model.Precisions?.Bits ?? [FloatBits];

    /// <summary>Most samples per run, null for the default; a model that fixes its batch accepts no other.</summary>
    public int? Batch { get; init; }

    /// <summary>Names of the outputs to compare, the one with classes first; null for all tensors of numbers.</summary>
    public IReadOnlyList<string>? Outputs { get; init; }

    /// <summary>
    /// Name of an input, or of another array of the data, that is 0 where positions of the outputs are padding and do not count. Null for
    /// an input named <c>attention_mask</c>, if there is one.
    /// </summary>
    public string? Mask { get; init; }

    /// <summary>Told the number of samples done.</summary>
    public Action<long>? Progress { get; init; }

    /// <summary>Evaluates.</summary>
    /// <exception cref="ModelException">The data does not fit the model, or a precision is not one of the model's.</exception>
    public EvaluationResult Run(Dataset data, CancellationToken cancellation)
    {
        foreach (int width in bits ?? [])
            NestedPrecisions.Check(model.Path, model.Precisions, width);
        Comparison? comparison = null;
        long samples = 0;
        foreach (DatasetBatch batch in data.ReadBatches(ReadSize()))
        {
            cancellation.ThrowIfCancellationRequested();
            EvaluationReference against = Against(batch);
            comparison ??= new Comparison(
                against, ComparedOutputs.Of(model, Outputs, reference is null ? batch.Expected : null), _bits.Count);
            if (comparison.Against != against)
                throw new ModelException($"{data.Path}: only some of the test sets have expected outputs");
            Compare(comparison, batch, data.FreeBatches);
            samples += batch.Samples;
            Progress?.Invoke(samples);
        }

        PrecisionResult[] results =
        [
            .. _bits.Select((width, i) => new PrecisionResult(
                width, comparison!.Classes[i].Top1, comparison.Classes[i].Agreement, [.. comparison.Outputs[i].Select(o => o.Result)])),
        ];
        return new EvaluationResult(samples, comparison!.Against, comparison.OfReference.Top1, results);
    }

    // The smaller of two fixed batches is read; the session that wants more pads.
    private int ReadSize()
    {
        if (FixedBatch(model) is { } own && Batch is { } asked && asked > own)
            throw new ModelException($"{model.Path}: the model fixes its batch at {own}: a batch of {asked} is not possible");
        int size = FixedBatch(model) ?? Batch ?? DefaultBatch;
        return reference is null ? size : Math.Min(size, FixedBatch(reference) ?? size);
    }

    private EvaluationReference Against(DatasetBatch batch) =>
        reference is not null ? new EvaluationReference("model", Model: reference.Path)
        : batch.Expected is not null ? new EvaluationReference("expected")
        : new EvaluationReference("self", Bits: model.Precisions?.Highest ?? FloatBits);

    private void Compare(Comparison comparison, DatasetBatch batch, bool freeBatch)
    {
        ComparedOutputs compared = comparison.Compared;
        IReadOnlyList<NamedArray> expected =
            reference is not null ? RunBatch(reference, batch, null, freeBatch, compared.In(reference))
            : batch.Expected is not null ? compared.In(batch.Expected)
            : RunBatch(model, batch, comparison.Against.Bits, freeBatch, compared.Names);
        PositionMask?[] masks = MasksOf(batch, expected, compared.Names);
        comparison.OfReference.Add(expected[0].Array, expected[0].Array, batch.Samples, batch.Labels);
        for (int i = 0; i < _bits.Count; i++)
        {
            IReadOnlyList<NamedArray> actual =
                comparison.Against.Bits == _bits[i] ? expected : RunBatch(model, batch, _bits[i], freeBatch, compared.Names);
            for (int output = 0; output < actual.Count; output++)
                comparison.Outputs[i][output].Add(actual[output].Array, expected[output].Array, masks[output]);
            comparison.Classes[i].Add(actual[0].Array, expected[0].Array, batch.Samples, batch.Labels);
        }
    }

    private PositionMask?[] MasksOf(DatasetBatch batch, IReadOnlyList<NamedArray> outputs, IReadOnlyList<string> names)
    {
        PositionMask? mask = PositionMask.Of(Mask, model, batch);
        PositionMask?[] masks = [.. outputs.Select((output, i) => mask?.For(output.Array, model.DeclaredShape(names[i])))];
        return Mask is null || Array.Exists(masks, static applied => applied is not null)
            ? masks
            : throw new ModelException($"mask {mask} fits no output that is compared: its extents must be the first ones of an output");
    }

    private static IReadOnlyList<NamedArray> RunBatch(
        ModelSession session, DatasetBatch batch, int? bits, bool freeBatch, IReadOnlyList<string> outputs)
    {
        int? width = session.Precisions is null ? null : bits;
        if (!freeBatch || !(FixedBatch(session) > batch.Samples))
            return session.Run(batch.Inputs, width, outputs);
        int rows = FixedBatch(session)!.Value;
        return
        [
            .. session.Run([.. batch.Inputs.Select(input => Padded(input, rows))], width, outputs)
                .Select(output => Cut(output, rows, batch.Samples)),
        ];
    }

    private static int? FixedBatch(ModelSession session) => session.Inputs.Count > 0 ? session.Inputs[0].FixedBatch : null;

    // The model takes full batches only: the last sample is repeated, and its results beyond the real ones are cut off.
    private static NamedArray Padded(NamedArray input, int samples)
    {
        NpyArray array = input.Array;
        int row = array.Bytes.Length / (int)array.Shape[0];
        byte[] bytes = new byte[row * samples];
        array.Bytes.CopyTo(bytes);
        for (int done = array.Bytes.Length; done < bytes.Length; done += row)
            array.Bytes[^row..].CopyTo(bytes.AsSpan(done));
        return input with { Array = new NpyArray(array.Type, [samples, .. array.Shape.Skip(1)], bytes) };
    }

    private static NamedArray Cut(NamedArray output, int rows, int samples)
    {
        NpyArray array = output.Array;
        if (array.Shape.Count == 0 || array.Shape[0] != rows)
            return output;
        byte[] bytes = array.Bytes[..(array.Bytes.Length / rows * samples)].ToArray();
        return output with { Array = new NpyArray(array.Type, [samples, .. array.Shape.Skip(1)], bytes) };
    }

    /// <summary>What has been found so far: of every precision the classes, and each compared output.</summary>
    private sealed record Comparison(EvaluationReference Against, ComparedOutputs Compared, int Precisions)
    {
        public ClassComparison OfReference { get; } = new();

        public ClassComparison[] Classes { get; } = [.. Enumerable.Range(0, Precisions).Select(static _ => new ClassComparison())];

        public OutputComparison[][] Outputs { get; } =
            [.. Enumerable.Range(0, Precisions).Select(_ => Compared.Names.Select(static name => new OutputComparison(name)).ToArray())];
    }
}
