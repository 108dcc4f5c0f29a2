using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Nesting;
using NestQuant.RuntimeOps.Packing;
using static System.FormattableString;

namespace NestQuant.Passes.Verification;

/// <summary>Compares the tags of nested operators, of their operands, and of the operands' content.</summary>
/// <param name="model">Path of the ONNX file.</param>
/// <param name="unreadable">Paths of data files that are known to be unusable, which are skipped.</param>
internal sealed class TagVerification(string model, IReadOnlySet<string> unreadable)
{
    private readonly Dictionary<string, FileOperands> _operands = new(StringComparer.Ordinal);
    private readonly HashSet<TensorProto> _weights = [];
    private readonly List<VerificationProblem> _problems = [];
    private int _untagged;

    /// <summary>Number of nested weights seen.</summary>
    public int Weights => _weights.Count;

    /// <summary>Damaged operators, and operands whose content does not match their tag.</summary>
    public IReadOnlyList<VerificationProblem> Problems => _problems;

    /// <summary>What could not be checked.</summary>
    public IEnumerable<string> Notes => _untagged == 0
        ? []
        : [
            Invariant($"{_untagged} of {Weights} nested weights are of layout version 1, without tags: ")
                + "whether high and low parts belong together cannot be checked"
        ];

    /// <summary>Checks one nested operator.</summary>
    public void Check(NodeProto node, GraphView view)
    {
        try
        {
            Check(NestedOperator.ReadUntagged(node, view));
        }
        catch (ModelException e)
        {
            _problems.Add(new VerificationProblem(model, e.Message));
        }
    }

    /// <summary>What is wrong with the operands in a file as a whole; null when they are all right.</summary>
    public string? ForeignOperands(string file) => _operands.GetValueOrDefault(file) is { First: { } first } operands
        ? Invariant($"{operands.Foreign} of {operands.Count} operands in it are not those of the model: {first}")
        : null;

    private void Check(NestedOperator nested)
    {
        bool isNew = _weights.Add(nested.High);
        if (nested.Tag is not { } tag)
        {
            _untagged += isNew ? 1 : 0;
            return;
        }

        bool areOwn = true;
        foreach ((int step, TensorProto operand) in nested.Operands)
        {
            string file = FileOf(operand);
            areOwn &= !unreadable.Contains(file) && IsOwn(nested, step, operand, file);
        }

        TensorProto[] lows = [.. nested.Steps.OfType<TensorProto>()];
        if (!isNew || !areOwn || lows.Length < nested.Steps.Count)
            return;
        if (WeightTag.Of(nested.Layout, [nested.High.GetBytes(), .. lows.Select(static low => low.GetBytes())]) != tag)
        {
            string operands = string.Join(", ", lows.SkipLast(1).Prepend(nested.High).Select(NestedOperator.Describe))
                + $" and {NestedOperator.Describe(lows[^1])}";
            string problem = $"operands {operands} do not hold the weight that their tag names: one is damaged or half replaced";
            _problems.Add(new VerificationProblem(model, $"{nested.Title}: {problem}"));
        }
    }

    private bool IsOwn(NestedOperator nested, int step, TensorProto operand, string file)
    {
        FileOperands operands = _operands.GetValueOrDefault(file, new FileOperands(0, 0, null));
        string? problem = nested.TagProblem(step, operand);
        _operands[file] = problem is null
            ? operands with { Count = operands.Count + 1 }
            : new FileOperands(operands.Count + 1, operands.Foreign + 1, operands.First ?? $"'{operand.Name}' of {nested.Title} {problem}");
        return problem is null;
    }

    private string FileOf(TensorProto operand) =>
        operand.ExternalLocation is { } location ? Path.Combine(Path.GetDirectoryName(model) ?? "", location) : model;

    /// <summary>The operands of nodes that lie in one file.</summary>
    /// <param name="Count">How many.</param>
    /// <param name="Foreign">How many of them belong to no node of the model.</param>
    /// <param name="First">What is wrong with the first of these.</param>
    private sealed record FileOperands(int Count, int Foreign, string? First);
}
