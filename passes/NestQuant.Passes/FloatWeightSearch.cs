using NestQuant.Compiler.Pipeline;
using NestQuant.Compiler.Reports;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes;

/// <summary>Finds the weights that a compiled model holds in float, with the reasons of the decisions about their readers.</summary>
internal static class FloatWeightSearch
{
    private static readonly HashSet<TensorDataType> Floats =
        [TensorDataType.Float, TensorDataType.Float16, TensorDataType.BFloat16, TensorDataType.Double];

    /// <summary>Finds them.</summary>
    public static FloatWeights Find(ModelProto model, DecisionLog decisions)
    {
        Decision[] nesting = [.. decisions.Decisions.Where(static decision => decision.Pass == NestingPass.PassName)];
        var reasons = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (Decision kept in nesting.Where(static decision => !decision.Rewritten)) reasons.TryAdd(kept.Node, kept.Reason!);
        var groups = new Dictionary<string, FloatWeightGroup>(StringComparer.Ordinal);
        foreach (GraphView view in GraphView.Of(model.MainGraph()).WithInner())
        {
            foreach (TensorProto tensor in view.Graph.Initializer.Where(IsWeight))
            {
                if (ReasonFor(tensor.Name, view, reasons) is not { } reason) continue;
                FloatWeightGroup group = groups.GetValueOrDefault(reason) ?? new FloatWeightGroup(reason, 0, 0);
                groups[reason] = group with { Tensors = group.Tensors + 1, Bytes = group.Bytes + tensor.ByteCount };
            }
        }

        FloatWeightGroup[] sorted =
            [.. groups.Values.OrderByDescending(static group => group.Bytes).ThenBy(static group => group.Reason, StringComparer.Ordinal)];
        long nested = nesting.Sum(static decision => decision.Nesting?.SourceBytes ?? 0);
        return new FloatWeights(nested + sorted.Sum(static group => group.Bytes), sorted);
    }

    /// <summary>Biases, slopes and factors of channels are no weights: they differ along one axis at most.</summary>
    private static bool IsWeight(TensorProto tensor) =>
        Floats.Contains(tensor.DataType) && tensor.Dims.Count(static extent => extent > 1) > 1;

    /// <summary>Why a tensor is float; null where it is a parameter of nested operators.</summary>
    private static string? ReasonFor(string tensor, GraphView view, Dictionary<string, string> reasons)
    {
        NodeProto[] readers = [.. view.Consumers(tensor)];
        string? known = readers.Select(reader => reasons.GetValueOrDefault(reader.DisplayName())).FirstOrDefault(static r => r is not null);
        if (known is not null) return known;
        if (readers.Length == 0) return "an output of the graph";
        return readers.FirstOrDefault(static reader => reader.Schema() is null) is { } other ? $"read by {other.OpType}" : null;
    }
}
