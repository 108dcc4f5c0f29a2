namespace NestQuant.Passes.Nesting;

/// <summary>Which candidates have an integer operator.</summary>
internal static class IntegerForm
{
    /// <summary>Why a second reader of a weight has none where it takes other dimensions of it as channels than the first.</summary>
    public const string TurnedWeight = "another reader of its weight uses it in another orientation";

    /// <summary>Why a candidate has none and stays weight-only; null where it has one.</summary>
    /// <param name="candidate">The node.</param>
    /// <param name="opset">Version of the default operator set that the model imports.</param>
    public static string? WhyNone(NestingCandidate candidate, long opset)
    {
        if (candidate.Settings.WeightOnly) return "a rule says so";
        if (candidate.GuardReason is { } reason) return reason;
        if (opset < QuantizedActivations.FirstOpset)
            return $"the model imports operator set {opset}, and DynamicQuantizeLinear needs {QuantizedActivations.FirstOpset}";
        int rank = candidate.Weight!.Dims.Count;
        return candidate.Node.OpType switch
        {
            "Conv" when rank > 4 => "there is no integer kernel for 3-D convolutions",
            "ConvTranspose" => "there is no integer kernel for ConvTranspose",
            "MatMul" when rank > 2 => "there is no integer kernel for a batched weight",
            "Gemm" when candidate.Node.GetInt("transA", 0) != 0 => "there is no integer kernel for transA",
            "Gemm" when !(candidate.Node.GetFloat("alpha", 1) > 0) => "its alpha is not positive, and so could not be part of a scale",
            "Gemm" => GemmBias.WhyNone(candidate),
            _ => null,
        };
    }
}
