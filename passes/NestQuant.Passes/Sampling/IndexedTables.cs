using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Sampling;

/// <summary>The tables whose rows a model picks by the integers of an input, as embeddings of tokens are.</summary>
internal static class IndexedTables
{
    /// <summary>Operators whose results hold elements of their first input, unchanged.</summary>
    private static readonly HashSet<string> Moves = new(StringComparer.Ordinal)
    {
        "Identity", "Reshape", "Unsqueeze", "Squeeze", "Flatten", "Transpose", "Expand", "Tile", "Slice", "Split", "Gather",
    };

    /// <summary>The rows of the smallest table that an input is an index of; null where it reaches none.</summary>
    public static long? LeastRows(string input, GraphView view)
    {
        long? least = null;
        var seen = new HashSet<(string, GraphView)>();
        var pending = new Stack<(string Value, GraphView View)>([(input, view)]);
        while (pending.TryPop(out (string Value, GraphView View) at))
        {
            if (!seen.Add(at)) continue;
            foreach (NodeProto node in at.View.Consumers(at.Value))
            {
                if (Rows(node, at.Value, at.View) is { } rows) least = Math.Min(least ?? rows, rows);
                if (Keeps(node, at.Value))
                    foreach (string output in node.Output) pending.Push((output, at.View));
                foreach (GraphProto body in node.Subgraphs()) pending.Push((at.Value, at.View.Inner(body)));
            }
        }

        return least;
    }

    private static bool Keeps(NodeProto node, string value)
    {
        if (node.Is("Concat")) return true;
        bool staysIndex = node.Is("Cast") && (TensorDataType)node.GetInt("to", 0) is TensorDataType.Int32 or TensorDataType.Int64;
        return node.InputAt(0) == value && (staysIndex || (node.Domain.Length == 0 && Moves.Contains(node.OpType)));
    }

    private static long? Rows(NodeProto node, string indices, GraphView view)
    {
        // Of the nested operators only one with a table reads integers of such a type.
        if (node.IsNested()) return node.GetInts(AttributeNames.Shape) is [var rows, ..] ? rows : null;
        if (!node.Is("Gather") || node.InputAt(1) != indices || ShapeOf(node.InputAt(0), view) is not { Count: > 0 } table) return null;
        long axis = node.GetInt("axis", 0);
        axis += axis < 0 ? table.Count : 0;
        return axis >= 0 && axis < table.Count && table[(int)axis] > 0 ? table[(int)axis] : null;
    }

    /// <summary>The shape of a constant, also where it is dequantized or converted first.</summary>
    private static IReadOnlyList<long>? ShapeOf(string table, GraphView view)
    {
        for (NodeProto? node = Producer(table, view); node is not null; node = Producer(table, view))
        {
            if (node.IsNested()) return node.GetInts(AttributeNames.Shape);
            if (node.Is("Constant")) return node.GetAttribute("value")?.T?.Dims;
            if (!node.Is("DequantizeLinear") && !node.Is("Cast") && !node.Is("Identity")) return null;
            table = node.InputAt(0);
        }

        return view.Constant(table)?.Dims;
    }

    private static NodeProto? Producer(string value, GraphView view) => view.Owner(value)?.Producer(value);
}
