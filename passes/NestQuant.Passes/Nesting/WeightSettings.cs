using NestQuant.Onnx;
using NestQuant.Passes.Selection;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Nesting;

/// <summary>What the options and their rules say about one node.</summary>
/// <param name="Quantization">How its weight is nested; null where nothing gives it bits.</param>
/// <param name="WeightOnly">Whether it keeps float activations.</param>
/// <param name="HasOwnBits">Whether a rule gives it its bits.</param>
/// <param name="Reason">Why it is to stay as it is; null where it is to be nested.</param>
internal sealed record WeightSettings(WeightQuantization? Quantization, bool WeightOnly, bool HasOwnBits, string? Reason)
{
    /// <summary>The same with other bits.</summary>
    public WeightSettings With(NestedBits bits) => this with { Quantization = Quantization! with { Bits = bits } };

    /// <summary>The settings of a node.</summary>
    /// <exception cref="ModelException">Two equally specific rules contradict each other.</exception>
    public static WeightSettings Of(WeightOptions options, string node, string op)
    {
        WeightRule[] rules = [.. options.Rules.Where(rule => rule.Matches(node, op)).OrderByDescending(static rule => rule.Specificity)];
        WeightRounding rounding = Pick(rules, node, "rounding", static rule => rule.Rounding) ?? options.Rounding;
        NestedBits? ownBits = Pick(rules, node, "bits", static rule => rule.Bits);
        WeightQuantization? quantization = (ownBits ?? options.Bits) is { } bits
            ? new WeightQuantization(
                bits,
                Pick(rules, node, "scheme", static rule => rule.Scheme) ?? options.Scheme,
                rounding,
                Pick(rules, node, "split rounding", static rule => rule.SplitRounding) ?? options.SplitRoundingAfter(rounding))
            : null;
        bool isExcluded = Pick(rules, node, "exclude", static rule => rule.Exclude) ?? false;
        string? reason = WhyLeftOut(options, node)
            ?? (isExcluded ? $"excluded by the rule for {Array.Find(rules, static rule => rule.Exclude == true)}" : null)
            ?? (quantization is null ? "no rule gives it bit widths" : null);
        bool isWeightOnly = Pick(rules, node, "weight-only", static rule => rule.WeightOnly) ?? false;
        return new WeightSettings(quantization, isWeightOnly, ownBits is not null, reason);
    }

    private static string? WhyLeftOut(WeightOptions options, string node)
    {
        if (options.Exclude.LastOrDefault(pattern => new NamePattern(pattern).Matches(node)) is { } excluding)
            return $"excluded by '{excluding}'";
        bool isIncluded = options.Include.Count == 0 || options.Include.Any(pattern => new NamePattern(pattern).Matches(node));
        return isIncluded ? null : "no include pattern names it";
    }

    /// <summary>The value that the most specific of the rules gives a setting; null where none does.</summary>
    private static T? Pick<T>(WeightRule[] rules, string node, string setting, Func<WeightRule, T?> valueOf)
        where T : struct
    {
        if (Array.Find(rules, rule => valueOf(rule) is not null) is not { } first) return null;
        T value = valueOf(first)!.Value;
        foreach (WeightRule other in rules)
            if (other.Specificity == first.Specificity && valueOf(other) is { } another && !another.Equals(value))
                throw new ModelException(
                    $"two rules contradict each other in the {setting} of node '{node}': the one for {first} says {Text(value)}, the one "
                        + $"for {other} {Text(another)}: remove one, or add a rule with the exact name of the node");
        return value;
    }

    private static string Text<T>(T value)
        where T : struct => $"{value}".ToLowerInvariant();
}
