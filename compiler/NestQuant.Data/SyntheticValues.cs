using NestQuant.Onnx;

namespace NestQuant.Data;

/// <summary>
/// Seeded values in the place of data, for models of any number of inputs. They depend on the seed alone. They show how a model runs; they
/// are no inputs to calibrate with, which have to be like real ones.
/// </summary>
public sealed class SyntheticValues : Dataset
{
    private readonly IReadOnlyList<SyntheticInput> _inputs;
    private readonly int _runs;
    private readonly long _seed;

    /// <summary>Describes the values.</summary>
    /// <param name="inputs">The inputs of a model, in its order.</param>
    /// <param name="runs">Number of runs, at least 1; each takes values of the shapes of the inputs.</param>
    /// <param name="seed">Other values for another seed.</param>
    /// <exception cref="ModelException">There are no inputs.</exception>
    public SyntheticValues(IReadOnlyList<SyntheticInput> inputs, int runs, long seed = 0)
        : base("seeded values")
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentOutOfRangeException.ThrowIfLessThan(runs, 1);
        if (inputs.Count == 0)
            throw new ModelException("the model has no inputs, so no values can be made for it");
        (_inputs, _runs, _seed) = (inputs, runs, seed);
    }

    /// <inheritdoc/>
    public override long Count => _runs * (_inputs[0].Shape.Count == 0 ? 1 : _inputs[0].Shape[0]);

    /// <inheritdoc/>
    public override bool FreeBatches => false;

    /// <inheritdoc/>
    public override bool HasLabels => false;

    /// <inheritdoc/>
    public override IEnumerable<DatasetBatch> ReadBatches(int size)
    {
        // Unnamed, so that a reference whose inputs have other names can take them too.
        for (int run = 0; run < _runs; run++)
            yield return new DatasetBatch(
                [.. _inputs.Select((input, position) => new NamedArray(null, input.Make(_seed, run, position)))], Labels: null);
    }
}
