using NestQuant.Passes.Selection;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Nesting;

/// <summary>
/// Settings for the nodes that a name, a pattern of names, an operator type, or both describe. A setting that is null is left to less
/// specific rules, and at last to <see cref="WeightOptions"/>.
/// </summary>
/// <remarks>
/// Every setting of a node comes from the most specific rule that gives it: an exact name before a pattern with an operator type, before
/// a pattern, before an operator type. Two equally specific rules that give one setting of one node different values are an error, and so
/// is a rule that describes no node.
/// </remarks>
public sealed record WeightRule
{
    /// <summary>Name of a node, or a pattern of names (<c>*</c>, <c>?</c>); null for all names.</summary>
    public string? Name { get; init; }

    /// <summary>Operator type: Conv, ConvTranspose, Gemm, MatMul or Gather; null for all.</summary>
    public string? Operator { get; init; }

    /// <summary>Bit widths n:h.</summary>
    public NestedBits? Bits { get; init; }

    /// <summary>Symmetric or affine weights.</summary>
    public WeightScheme? Scheme { get; init; }

    /// <summary>Rounding of the first stage: adaptive or nearest.</summary>
    public WeightRounding? Rounding { get; init; }

    /// <summary>Rounding of the second stage.</summary>
    public WeightRounding? SplitRounding { get; init; }

    /// <summary>Whether the nodes stay as they are.</summary>
    public bool? Exclude { get; init; }

    /// <summary>Whether the nodes keep float activations.</summary>
    public bool? WeightOnly { get; init; }

    /// <summary>How narrowly the rule describes nodes; the most specific one wins.</summary>
    internal int Specificity => (Name, Operator) switch
    {
        ({ } name, _) when !NamePattern.HasWildcards(name) => 3,
        ({ }, { }) => 2,
        ({ }, null) => 1,
        _ => 0,
    };

    /// <summary>Whether the rule describes a node.</summary>
    internal bool Matches(string name, string op) =>
        (Operator is null || Operator == op) && (Name is null || Name == name || new NamePattern(Name).Matches(name));

    /// <summary>Fails where the rule describes everything or says nothing.</summary>
    /// <exception cref="ArgumentException">It does.</exception>
    internal void Verify(int position)
    {
        if (Name is null && Operator is null)
            throw new ArgumentException(
                $"Weights: rule {position + 1} needs a Name or an Operator: what holds for all nodes are the options");
        if (this == new WeightRule { Name = Name, Operator = Operator })
            throw new ArgumentException($"Weights: rule {position + 1} ({this}) gives no setting");
    }

    /// <summary>What the rule describes, for messages.</summary>
    public override string ToString() => (Name, Operator) switch
    {
        ({ } name, { } op) => $"name '{name}', operator {op}",
        ({ } name, null) => $"name '{name}'",
        _ => $"operator {Operator}",
    };
}
