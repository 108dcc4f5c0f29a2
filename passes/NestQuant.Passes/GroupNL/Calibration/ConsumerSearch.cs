using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.GroupNL.Calibration;

/// <summary>
/// Finds the Conv and Gemm that read a value, directly or through nodes that stay as they are. The other operand of an Add is not followed:
/// a consumer is refitted for its actual inputs.
/// </summary>
internal static class ConsumerSearch
{
    /// <summary>Operators that may lie in between. The result of Shape does not depend on the values, so it is not followed.</summary>
    private static readonly HashSet<string> Between = new(StringComparer.Ordinal)
    {
        "Add", "AveragePool", "BatchNormalization", "Clip", "Concat", "Div", "Dropout", "Elu", "Flatten", "Gelu", "GlobalAveragePool",
        "GlobalMaxPool", "HardSigmoid", "HardSwish",
        "Identity", "LeakyRelu", "MaxPool", "Mul", "PRelu", "Pad", "ReduceMean", "Relu", "Reshape", "Sigmoid", "Squeeze", "Sub", "Tanh",
        "Transpose", "Unsqueeze",
    };

    /// <summary>Searches downstream of a value.</summary>
    /// <param name="value">The value.</param>
    /// <param name="view">The main graph.</param>
    /// <param name="consumers">The consumers, in graph order.</param>
    /// <returns>Why something downstream of the value cannot be refitted, or null.</returns>
    public static string? WhyNot(string value, GraphView view, out IReadOnlyList<LinearConsumer> consumers)
    {
        consumers = [];
        var found = new Dictionary<NodeProto, LinearConsumer>(ReferenceEqualityComparer.Instance);
        var seen = new HashSet<string>(StringComparer.Ordinal) { value };
        var open = new Stack<string>([value]);
        while (open.TryPop(out string? current))
        {
            if (view.IsOutput(current))
                return $"its maps reach the output '{current}' of the model, and nothing in between can be refitted";
            foreach (NodeProto reader in view.Consumers(current).Distinct())
            {
                if (reader.Is("Shape")) continue;
                if (reader.Is("Conv") || reader.Is("Gemm"))
                {
                    if (found.ContainsKey(reader)) continue;
                    string? reason = reader.Input.LastIndexOf(current) == 0
                        ? LinearConsumer.WhyNot(reader, view, out LinearConsumer? consumer)
                        : NotItsData(out consumer);
                    if (reason is not null) return $"its consumer '{reader.DisplayName()}' ({reader.OpType}) cannot be refitted: {reason}";
                    found.Add(reader, consumer!);
                }
                else if (reader.IsDefaultDomain() && Between.Contains(reader.OpType))
                {
                    foreach (string output in reader.Output)
                        if (output.Length > 0 && seen.Add(output)) open.Push(output);
                }
                else
                {
                    return $"its consumer '{reader.DisplayName()}' ({reader.OpType}) cannot be refitted: only Conv and Gemm can";
                }
            }
        }

        consumers = [.. view.Graph.Node.Where(found.ContainsKey).Select(node => found[node])];
        return consumers.Count > 0 ? null : "no Conv or Gemm reads its maps";
    }

    private static string NotItsData(out LinearConsumer? consumer)
    {
        consumer = null;
        return "the maps are not its data input";
    }
}
