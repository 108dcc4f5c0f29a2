using NestQuant.Data;
using NestQuant.Onnx;

namespace NestQuant.Evaluation;

/// <summary>The outputs of a model that are compared.</summary>
internal sealed class ComparedOutputs
{
    private readonly int _count;
    private readonly IReadOnlyList<int> _positions;

    private ComparedOutputs(IReadOnlyList<string> outputs, IReadOnlyList<int> positions)
    {
        _count = outputs.Count;
        _positions = positions;
        Names = [.. positions.Select(position => outputs[position])];
    }

    /// <summary>Their names.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Chooses outputs.</summary>
    /// <param name="model">The model.</param>
    /// <param name="wanted">Names; null for all tensors of numbers.</param>
    /// <param name="expected">What the data expects of the outputs; null when it says nothing. Outputs of which it says nothing are left
    /// out, unless they are wanted.</param>
    /// <exception cref="ModelException">The model has no such output, or it cannot be compared.</exception>
    public static ComparedOutputs Of(ModelSession model, IReadOnlyList<string>? wanted, IReadOnlyList<NamedArray>? expected)
    {
        if (expected is not null && expected.Count > model.Outputs.Count)
            throw new ModelException($"the test data expects {expected.Count} outputs, the model has {model.Outputs.Count}");
        foreach (string name in wanted ?? [])
        {
            if (!model.Outputs.Contains(name))
                throw new ModelException(
                    $"{model.Path}: there is no output '{name}': the model has {string.Join(", ", model.Outputs.Select(o => $"'{o}'"))}");
            if (!model.IsArray(name))
                throw new ModelException($"{model.Path}: output '{name}' is not a tensor of numbers and cannot be compared");
        }

        int[] positions =
        [
            .. wanted is null
                ? Enumerable.Range(0, model.Outputs.Count).Where(i => model.IsArray(model.Outputs[i]))
                : wanted.Distinct().Select(name => model.Outputs.ToList().IndexOf(name)),
        ];
        var all = new ComparedOutputs(model.Outputs, positions);
        if (expected is not null && wanted is null)
            positions = [.. positions.Where((_, i) => all.Find(expected, i) is not null)];
        return positions.Length == 0
            ? throw new ModelException($"{model.Path}: no output is a tensor of numbers that can be compared")
            : new ComparedOutputs(model.Outputs, positions);
    }

    /// <summary>The outputs of a reference that are compared: those of the same names, else those at the same positions.</summary>
    /// <exception cref="ModelException">It has no such output.</exception>
    public IReadOnlyList<string> In(ModelSession reference) =>
    [
        .. Names.Select((name, i) => reference.Outputs.Contains(name) ? name
            : reference.Outputs.Count == _count ? reference.Outputs[_positions[i]]
            : throw new ModelException($"{reference.Path}: there is no output '{name}' to compare with: choose other outputs")),
    ];

    /// <summary>The compared ones of expected outputs, likewise.</summary>
    /// <exception cref="ModelException">One is not there.</exception>
    public IReadOnlyList<NamedArray> In(IReadOnlyList<NamedArray> expected) =>
    [
        .. Names.Select((name, i) => Find(expected, i)
            ?? throw new ModelException($"the test data does not say what output '{name}' should be: choose other outputs")),
    ];

    private NamedArray? Find(IReadOnlyList<NamedArray> expected, int index)
    {
        foreach (NamedArray array in expected)
            if (array.Name == Names[index]) return array;
        // Names of test data are not always those of the model; its order is.
        int position = _positions[index];
        return position < expected.Count && !Names.Contains(expected[position].Name) ? expected[position] : null;
    }
}
