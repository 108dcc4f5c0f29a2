using System.Globalization;
using NestQuant.Passes.GroupNL;
using NestQuant.Passes.Nesting;

namespace NestQuant.Passes;

/// <summary>The options that decide a result as one text in a fixed order, as a compiled model carries it.</summary>
internal static class OptionsText
{
    /// <summary>The text, for example <c>nest=8:6 rounding=adaptive weights=symmetric activations=dynamic</c>.</summary>
    public static string Of(CompilerOptions options)
    {
        string text = options.Weights.Nests ? Nesting(options.Weights, options.Activations) : "nest=off";
        text += GroupNL(options.GroupNL);
        if (options.OperatorSet is { } version) text += string.Create(CultureInfo.InvariantCulture, $" opset={version}");
        if (options.KeepOverridable) text += " keep-overridable";
        if (options.ConstantInputs.Count > 0) text += $" constant-inputs={string.Join(',', options.ConstantInputs)}";
        WeightOptions weights = options.Weights;
        if (weights.Include.Count > 0) text += $" include={string.Join(',', weights.Include)}";
        return weights.Exclude.Count == 0 ? text : $"{text} exclude={string.Join(',', weights.Exclude)}";
    }

    /// <summary>The name of a value as options have it, for example <c>weight-only</c>.</summary>
    public static string Name<T>(T value)
        where T : struct, Enum => value is ActivationMode.WeightOnly ? "weight-only" : value.ToString().ToLowerInvariant();

    private static string Nesting(WeightOptions weights, ActivationOptions activations)
    {
        string bits = weights.Bits is { } given ? $"{given}" : "rules";
        string text = $"nest={bits} rounding={Name(weights.Rounding)}";
        WeightRounding split = weights.SplitRoundingAfter(weights.Rounding);
        if (split != weights.Rounding) text += $" split-rounding={Name(split)}";
        if (weights.Range != WeightRange.MinMax) text += $" weight-range={Name(weights.Range)}";
        if (weights.Calibration is { } calibration) text += $" calibration=({calibration})";
        if (weights.Budget is { } budget) text += $" budget=({budget})";
        text += $" weights={Name(weights.Scheme)} activations={Name(activations.Mode)}";
        foreach (WeightRule rule in weights.Rules) text += $" rule=({Rule(rule)})";
        if (activations is { Mode: ActivationMode.Static, Ranges: { } ranges }) text += $" ranges=({ranges})";
        return activations is { Guard: { } guard, Mode: not ActivationMode.WeightOnly } ? $"{text} guard=({guard})" : text;
    }

    private static string Rule(WeightRule rule)
    {
        string text = $"{rule}:";
        if (rule.Bits is { } bits) text += $" nest={bits}";
        if (rule.Rounding is { } rounding) text += $" rounding={Name(rounding)}";
        if (rule.SplitRounding is { } split) text += $" split-rounding={Name(split)}";
        if (rule.Scheme is { } scheme) text += $" weights={Name(scheme)}";
        if (rule.WeightOnly is { } weightOnly) text += $" weight-only={weightOnly}".ToLowerInvariant();
        if (rule.Exclude is { } exclude) text += $" exclude={exclude}".ToLowerInvariant();
        return text;
    }

    private static string GroupNL(GroupNLOptions options)
    {
        string text = options.Mode == GroupNLMode.Fuse ? "" : $" groupnl={Name(options.Mode)}";
        if (options.Expansion is not { } expansion) return text;
        text += $" groupnl=expand:{expansion}";
        if (expansion.Include.Count > 0) text += $" groupnl-include={string.Join(',', expansion.Include)}";
        if (expansion.Exclude.Count > 0) text += $" groupnl-exclude={string.Join(',', expansion.Exclude)}";
        if (options.Calibration is not { } calibration) return text;
        return text + string.Create(
            CultureInfo.InvariantCulture,
            $" groupnl-samples={calibration.Data.Count} groupnl-budget={calibration.Budget} ridge={calibration.Ridge}");
    }
}
