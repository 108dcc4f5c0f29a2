namespace NestQuant.Passes.Nesting;

/// <summary>Which candidates have an integer operator.</summary>
internal static class IntegerForm
{
    /// <summary>Why a candidate has none and stays weight-only; null where it has one.</summary>
    /// <param name="candidate">The node.</param>
    /// <param name="opset">Version of the default operator set that the model imports.</param>
    public static string? WhyNone(NestingCandidate candidate, long opset) => WhyFloat(candidate, opset) ?? NestedForm.WhyNone(candidate);

    /// <summary>Why a candidate's activations stay float whatever its operator is; null where they need not.</summary>
    /// <inheritdoc cref="WhyNone"/>
    public static string? WhyFloat(NestingCandidate candidate, long opset)
    {
        if (candidate.Settings.WeightOnly) return "a rule says so";
        if (candidate.GuardReason is { } reason) return reason;
        return opset < QuantizedActivations.FirstOpset
            ? $"the model imports operator set {opset}, and DynamicQuantizeLinear needs {QuantizedActivations.FirstOpset}"
            : null;
    }
}
