namespace NestQuant.Passes.Nesting;

/// <summary>Which candidates a nested operator can stand for; the others read the float form of their weight.</summary>
internal static class NestedForm
{
    /// <summary>Why a second reader of a weight has none where it takes other dimensions of it as channels than the first.</summary>
    public const string TurnedWeight = "another reader of its weight uses it in another orientation";

    /// <summary>Why there is none for a candidate; null where there is one.</summary>
    public static string? WhyNone(NestingCandidate candidate)
    {
        int rank = candidate.Weight!.Dims.Count;
        return candidate.Node.OpType switch
        {
            "Conv" when rank > 4 => "there is no kernel for 3-D convolutions",
            "ConvTranspose" => "there is no kernel for ConvTranspose",
            "MatMul" when rank > 2 => "there is no kernel for a batched weight",
            "Gemm" when candidate.Node.GetInt("transA", 0) != 0 => "there is no kernel for transA",
            "Gemm" when !(candidate.Node.GetFloat("alpha", 1) > 0) => "its alpha is not positive, and so could not be part of a scale",
            "Gemm" => GemmBias.WhyNone(candidate),
            _ => null,
        };
    }
}
