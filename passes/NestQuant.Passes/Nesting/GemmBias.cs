using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Nesting;

/// <summary>How the third input of a Gemm is added to a nested product.</summary>
/// <param name="Fused">Name of a float32 [N] bias for the operator itself; empty for none.</param>
/// <param name="Added">Name of a value for an Add after the operator; empty for none.</param>
internal readonly record struct GemmBias(string Fused, string Added)
{
    /// <summary>Finds the form, and adds a constant [N] with beta in it where that is needed.</summary>
    public static GemmBias Of(NestingCandidate candidate, UniqueNames names)
    {
        NodeProto gemm = candidate.Node;
        string name = gemm.Is("Gemm") ? gemm.InputAt(2) : "";
        if (name.Length == 0) return new GemmBias("", "");
        if (Constant(candidate) is not { } bias) return new GemmBias("", name);

        int channels = candidate.Channels.OutputChannels;
        if (gemm.GetFloat("beta", 1) == 1 && bias.Dims.Count == 1 && bias.Dims[0] == channels) return new GemmBias(name, "");
        TensorProto scaled = TensorProto.FromFloats(names.Next(name + "_bias"), [channels], Values(candidate)!);
        candidate.View.AddInitializer(scaled);
        return new GemmBias(scaled.Name, "");
    }

    /// <summary>The third input of a Gemm times beta, one value per output channel; null where it is no such constant.</summary>
    public static float[]? Values(NestingCandidate candidate)
    {
        if (Constant(candidate) is not { } bias) return null;
        float beta = candidate.Node.GetFloat("beta", 1);
        float[] values = bias.ToFloats();
        return [.. Enumerable.Range(0, candidate.Channels.OutputChannels).Select(n => beta * values[values.Length == 1 ? 0 : n])];
    }

    /// <summary>Why the bias can be neither fused nor added; null where it can.</summary>
    public static string? WhyNone(NestingCandidate candidate) =>
        candidate.Node.Is("Gemm")
            && candidate.Node.InputAt(2).Length > 0
            && candidate.Node.GetFloat("beta", 1) != 1
            && Constant(candidate) is null
            ? "its bias is not a constant per output channel, and beta is not 1"
            : null;

    /// <summary>The bias as a constant that holds one value per output channel, or one for all; null otherwise.</summary>
    public static TensorProto? Constant(NestingCandidate candidate)
    {
        TensorProto? bias = candidate.View.Constant(candidate.Node.InputAt(2));
        bool perChannel = bias is { DataType: TensorDataType.Float }
            && (bias.ElementCount == 1 || (bias.ElementCount == candidate.Channels.OutputChannels && bias.Dims[^1] == bias.ElementCount));
        return perChannel ? bias : null;
    }
}
