using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Nesting;

/// <summary>Which candidates a nested operator can stand for; the others read the float form of their weight.</summary>
internal static class NestedForm
{
    /// <summary>Why a second reader of a weight has none where it takes other dimensions of it as channels than the first.</summary>
    public const string TurnedWeight = "another reader of its weight uses it in another orientation";

    // Fewer outputs than this would leave most of the accumulators and of a decoded panel unused.
    private const int LeastOutputsPerGroup = 4;

    /// <summary>
    /// Why a weight-only convolution reads the float form of its weight although there is a kernel; null where it reads it nested.
    /// </summary>
    public static string? WhyNoFloatForm(NestingCandidate candidate)
    {
        long group = candidate.Node.Is("Conv") ? candidate.Node.GetInt("group", 1) : 1;
        if (group == 1 || candidate.Channels.OutputChannels / group >= LeastOutputsPerGroup) return null;
        // [M, C / group, k...]: a convolution of single channels has a kernel of its own.
        List<long> shape = candidate.Weight!.Dims;
        bool isDepthwise = shape[1] == 1 && shape.Skip(2).Any(static extent => extent > 1);
        return isDepthwise ? null : $"the float kernel is slow with fewer than {LeastOutputsPerGroup} outputs per group";
    }

    /// <summary>Why there is none for a candidate; null where there is one.</summary>
    public static string? WhyNone(NestingCandidate candidate)
    {
        int rank = candidate.Weight!.Dims.Count;
        return candidate.Node.OpType switch
        {
            "Conv" when rank > 4 => "there is no kernel for 3-D convolutions",
            "ConvTranspose" => "there is no kernel for ConvTranspose",
            "LSTM" or "GRU" or "RNN" => $"there is no kernel for {candidate.Node.OpType}",
            "MatMul" when rank > 2 => "there is no kernel for a batched weight",
            "Gemm" when candidate.Node.GetInt("transA", 0) != 0 => "there is no kernel for transA",
            "Gemm" when !(candidate.Node.GetFloat("alpha", 1) > 0) => "its alpha is not positive, and so could not be part of a scale",
            "Gemm" => GemmBias.WhyNone(candidate),
            _ => null,
        };
    }
}
