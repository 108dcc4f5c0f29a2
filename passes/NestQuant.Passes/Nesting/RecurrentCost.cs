using System.Globalization;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Nesting;

/// <summary>
/// What nested weights cost LSTM, GRU and RNN: they are decoded before each run, and multiplied once for every step and sample.
/// </summary>
/// <remarks>
/// Measured on AVX2 with one thread for 128 to 512 hidden values: decoding takes about 0.5 ns a weight, with what ONNX Runtime loses that
/// packs constant weights once; a step takes about 0.06 ns a weight. So from 42 steps on an operator takes at most
/// 1.2 times as long.
/// </remarks>
internal static class RecurrentCost
{
    private const double DecodeNanoseconds = 0.5, StepNanoseconds = 0.06;

    private const double MostSlowdown = 1.2;

    /// <summary>
    /// Why the weight of a candidate stays: its operator would be much slower, or runs for a number of steps that the model does not say.
    /// Null for other operators, and where a rule gives the node its bits.
    /// </summary>
    public static string? WhyKept(NestingCandidate candidate)
    {
        if (!candidate.IsRecurrent || candidate.Settings.HasOwnBits) return null;
        NodeProto node = candidate.Node;
        if (Steps(node, candidate.View) is not { } steps)
            return $"it has as many steps as its input, which the model does not say, and with few it would be slower: decoding takes as "
                + "long as 8 steps; a rule that gives it bits nests it";
        double slowdown = 1 + (DecodeNanoseconds / (StepNanoseconds * steps));
        return slowdown <= MostSlowdown
            ? null
            : string.Create(
                CultureInfo.InvariantCulture,
                $"with {steps} steps it would take {slowdown:F1} times as long, since its weights would be decoded before each run; "
                    + $"a rule that gives it bits nests it");
    }

    /// <summary>Steps times samples; null where a declaration does not say the steps.</summary>
    private static long? Steps(NodeProto node, GraphView view)
    {
        string input = node.InputAt(0);
        TensorShapeProto? shape = view.Graph.Input.Concat(view.Graph.ValueInfo).FirstOrDefault(info => info.Name == input)
            ?.Type?.TensorType?.Shape;
        if (shape?.Dim is not [var first, var second, _]) return null;
        bool isBatchFirst = node.GetInt("layout", 0) != 0;
        (long? steps, long? samples) = isBatchFirst ? (second.DimValue, first.DimValue) : (first.DimValue, second.DimValue);
        return steps is > 0 ? steps * Math.Max(samples ?? 1, 1) : null;
    }
}
