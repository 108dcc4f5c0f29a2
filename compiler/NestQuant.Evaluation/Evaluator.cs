using NestQuant.Data;
using NestQuant.Onnx;
using NestQuant.Passes.Nesting;

namespace NestQuant.Evaluation;

/// <summary>Runs a model over a data set at one or more precisions and compares its first output with labels and a reference.</summary>
public sealed class Evaluator(ModelSession model, ModelSession? reference, IReadOnlyList<int>? bits)
{
    private const int FloatBits = 32;
    private const int DefaultBatch = 32;

    private readonly IReadOnlyList<int> _bits = bits ?? model.Precisions?.Bits ?? [FloatBits];

    /// <summary>Most samples per run, null for the default; a model that fixes its batch accepts no other.</summary>
    public int? Batch { get; init; }

    /// <summary>Told the number of samples done.</summary>
    public Action<long>? Progress { get; init; }

    /// <summary>Evaluates.</summary>
    /// <exception cref="ModelException">The data does not fit the model, or a precision is not one of the model's.</exception>
    public EvaluationResult Run(Dataset data, CancellationToken cancellation)
    {
        foreach (int width in bits ?? [])
            NestedPrecisions.Check(model.Path, model.Precisions, width);
        OutputComparison[] comparisons = [.. _bits.Select(_ => new OutputComparison())];
        var ofReference = new OutputComparison();
        EvaluationReference? against = null;
        long samples = 0;
        foreach (DatasetBatch batch in data.ReadBatches(ReadSize()))
        {
            cancellation.ThrowIfCancellationRequested();
            (EvaluationReference kind, IReadOnlyList<NamedArray> expected) = Expect(batch, data.FreeBatches);
            if (against is not null && against != kind)
                throw new ModelException($"{data.Path}: only some of the test sets have expected outputs");
            against = kind;
            ofReference.Add(expected[0], expected[0], batch.Samples, batch.Labels);
            for (int i = 0; i < comparisons.Length; i++)
            {
                IReadOnlyList<NamedArray> actual = kind.Bits == _bits[i] ? expected : RunBatch(model, batch, _bits[i], data.FreeBatches);
                Compare(comparisons[i], actual, expected, batch, kind);
            }

            samples += batch.Samples;
            Progress?.Invoke(samples);
        }

        PrecisionResult[] results = [.. comparisons.Select((c, i) => new PrecisionResult(_bits[i], c.Top1, c.Agreement, c.SqnrDb))];
        return new EvaluationResult(samples, against!, ofReference.Top1, results);
    }

    // The smaller of two fixed batches is read; the session that wants more pads.
    private int ReadSize()
    {
        if (FixedBatch(model) is { } own && Batch is { } asked && asked > own)
            throw new ModelException($"{model.Path}: the model fixes its batch at {own}: a batch of {asked} is not possible");
        int size = FixedBatch(model) ?? Batch ?? DefaultBatch;
        return reference is null ? size : Math.Min(size, FixedBatch(reference) ?? size);
    }

    private (EvaluationReference Kind, IReadOnlyList<NamedArray> Outputs) Expect(DatasetBatch batch, bool freeBatch)
    {
        if (reference is not null)
            return (new EvaluationReference("model", Model: reference.Path), RunBatch(reference, batch, null, freeBatch));
        if (batch.Expected is not null)
            return (new EvaluationReference("expected"), batch.Expected);
        int highest = model.Precisions?.Highest ?? FloatBits;
        return (new EvaluationReference("self", Bits: highest), RunBatch(model, batch, highest, freeBatch));
    }

    private static void Compare(
        OutputComparison comparison, IReadOnlyList<NamedArray> actual, IReadOnlyList<NamedArray> expected, DatasetBatch batch,
        EvaluationReference kind)
    {
        comparison.Add(actual[0], expected[0], batch.Samples, batch.Labels);
        if (kind.Kind != "expected")
            return;
        // Test data speaks of every output, not of the logits alone.
        if (expected.Count > actual.Count)
            throw new ModelException($"the test data expects {expected.Count} outputs, the model has {actual.Count}");
        for (int i = 1; i < expected.Count; i++)
            comparison.AddEnergies(actual[i], expected[i]);
    }

    private static IReadOnlyList<NamedArray> RunBatch(ModelSession session, DatasetBatch batch, int? bits, bool freeBatch)
    {
        int? width = session.Precisions is null ? null : bits;
        int? wanted = FixedBatch(session);
        bool pad = freeBatch && wanted > batch.Samples;
        IReadOnlyList<NamedArray> inputs = pad ? [.. batch.Inputs.Select(input => Padded(input, wanted!.Value))] : batch.Inputs;
        return session.Run(inputs, width);
    }

    private static int? FixedBatch(ModelSession session) => session.Inputs.Count > 0 ? session.Inputs[0].FixedBatch : null;

    // The model takes full batches only: the last sample is repeated, and its results beyond the real ones are not looked at.
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
}
