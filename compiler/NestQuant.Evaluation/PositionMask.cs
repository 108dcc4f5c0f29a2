using NestQuant.Data;
using NestQuant.Onnx;

namespace NestQuant.Evaluation;

/// <summary>
/// Which positions of the outputs of a batch are real: those where an array is not 0, as the attention mask of token sequences is 0 where
/// they are padded. Outputs whose first extents are those of the array are masked.
/// </summary>
internal sealed class PositionMask
{
    /// <summary>The input that masks where nothing else is asked for.</summary>
    private const string DefaultName = "attention_mask";

    private readonly float[] _values;
    private readonly IReadOnlyList<long> _shape;
    private readonly IReadOnlyList<long> _declared;

    private PositionMask(string name, NpyArray array, IReadOnlyList<long> declared)
    {
        Name = name;
        _values = array.ToFloats();
        _shape = array.Shape;
        _declared = declared;
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Number of positions.</summary>
    public int Count => _values.Length;

    /// <summary>The mask of a batch.</summary>
    /// <param name="name">An input of the model or an array of the data; null for an input named <c>attention_mask</c>, if there is
    /// one.</param>
    /// <param name="model">The model.</param>
    /// <param name="batch">The batch.</param>
    /// <exception cref="ModelException">There is no such array.</exception>
    public static PositionMask? Of(string? name, ModelSession model, DatasetBatch batch)
    {
        ModelInput? input = model.Inputs.FirstOrDefault(known => known.Name == (name ?? DefaultName));
        if (input is not null)
            return new PositionMask(input.Name, ModelInput.Find(model.Inputs, input, batch.Inputs), input.Shape);
        if (name is null)
            return null;
        NpyArray array = batch.Inputs.FirstOrDefault(known => known.Name == name).Array ?? throw new ModelException(
            $"there is no mask '{name}': neither the model has such an input, nor the data such an array");
        return new PositionMask(name, array, []);
    }

    /// <summary>Whether a position is real.</summary>
    public bool Counts(int position) => _values[position] != 0;

    /// <summary>This mask where it applies to an output, else null.</summary>
    /// <param name="output">Values of the output.</param>
    /// <param name="declared">Its extents as the model declares them, negative where they are open; empty when unknown.</param>
    public PositionMask? For(NpyArray output, IReadOnlyList<long> declared) =>
        Count > 0 && output.Shape.Take(_shape.Count).SequenceEqual(_shape) && !IsOtherAxis(declared) ? this : null;

    /// <summary>What it is, for messages.</summary>
    public override string ToString() => $"'{Name}' of shape [{string.Join(", ", _shape)}]";

    // An axis that the model fixes in the output and not in the mask, such as features, is as long as a sequence by chance alone.
    private bool IsOtherAxis(IReadOnlyList<long> declared) =>
        declared.Zip(_declared).Any(static axis => axis is { First: >= 0, Second: < 0 });
}
