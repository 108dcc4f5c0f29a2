using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.GroupNL.Recognition;

/// <summary>
/// Evaluates the shape arithmetic that exporters write in a GroupNL block: constants, Shape of the block's own maps, and operators that
/// select, join, divide and multiply their elements.
/// </summary>
/// <param name="view">The graph.</param>
/// <param name="shapeOf">The shape of a value that is part of the block; null for any other value.</param>
internal sealed class ShapeTrace(GraphView view, Func<string, Extent[]?> shapeOf)
{
    /// <summary>Limits far above the needs of a channel shuffle, which bound the cost of a hostile model.</summary>
    private const int MaxDepth = 64, MaxElements = 64;

    private readonly Dictionary<string, Extent[]?> _known = new(StringComparer.Ordinal);

    /// <summary>The elements of an int64 scalar or vector; null when they are not known.</summary>
    /// <returns>A new array.</returns>
    public Extent[]? Evaluate(string value) => Evaluate(value, 0)?.ToArray();

    private Extent[]? Evaluate(string value, int depth)
    {
        if (_known.TryGetValue(value, out Extent[]? known)) return known;
        Extent[]? extents = view.Constant(value) is { } constant ? Constant(constant) : Compute(value, depth);
        return _known[value] = extents is { Length: <= MaxElements } ? extents : null;
    }

    private static Extent[]? Constant(TensorProto tensor) =>
        Integers(tensor) is { } integers ? [.. integers.Select(static integer => (Extent)integer)] : null;

    private Extent[]? Compute(string value, int depth)
    {
        if (depth == MaxDepth || view.Producer(value) is not { } node || !node.IsDefaultDomain()) return null;
        return node.OpType switch
        {
            "Shape" => ShapeOf(node),
            "Gather" => Gather(node, depth),
            "Slice" => Slice(node, depth),
            "Concat" => Concat(node, depth),
            "Squeeze" or "Unsqueeze" or "Identity" => Evaluate(node.InputAt(0), depth + 1),
            "Cast" when node.GetInt("to", 0) == (long)TensorDataType.Int64 => Evaluate(node.InputAt(0), depth + 1),
            "Div" => Combine(node, depth, static (left, right) => right is 0 or -1 ? null : left / right),
            "Mul" => Combine(node, depth, static (left, right) => left * right),
            _ => null,
        };
    }

    private Extent[]? ShapeOf(NodeProto node)
    {
        if (shapeOf(node.InputAt(0)) is not { } shape) return null;
        int start = Position(node.GetInt("start", 0), shape.Length), end = Position(node.GetInt("end", shape.Length), shape.Length);
        return shape[Math.Min(start, end)..end];
    }

    private Extent[]? Gather(NodeProto node, int depth)
    {
        if (Evaluate(node.InputAt(0), depth + 1) is not { } values
            || Constant(node.InputAt(1)) is not { } indices
            || node.GetInt("axis", 0) != 0)
            return null;
        if (Array.Exists(indices, index => index < -values.Length || index >= values.Length)) return null;
        return Array.ConvertAll(indices, index => values[index < 0 ? index + values.Length : index]);
    }

    private Extent[]? Slice(NodeProto node, int depth)
    {
        if (Evaluate(node.InputAt(0), depth + 1) is not { } values) return null;
        if (Constant(node.InputAt(1)) is not [var start] || Constant(node.InputAt(2)) is not [var end]) return null;
        if (node.InputAt(4).Length > 0 && Constant(node.InputAt(4)) is not [1]) return null;
        int first = Position(start, values.Length), last = Position(end, values.Length);
        return values[Math.Min(first, last)..last];
    }

    private Extent[]? Concat(NodeProto node, int depth)
    {
        var joined = new List<Extent>();
        foreach (string input in node.Input)
        {
            if (joined.Count > MaxElements || Evaluate(input, depth + 1) is not { } values) return null;
            joined.AddRange(values);
        }

        return [.. joined];
    }

    private Extent[]? Combine(NodeProto node, int depth, Func<long, long, long?> combine)
    {
        if (Evaluate(node.InputAt(0), depth + 1) is not [{ Value: { } left }]
            || Evaluate(node.InputAt(1), depth + 1) is not [{ Value: { } right }])
            return null;
        return combine(left, right) is { } result ? [result] : null;
    }

    private long[]? Constant(string name) => name.Length > 0 && view.Constant(name) is { } tensor ? Integers(tensor) : null;

    private static long[]? Integers(TensorProto tensor) => tensor switch
    {
        { DataType: TensorDataType.Int64, Dims.Count: <= 1, ElementCount: <= MaxElements } => tensor.ToInt64s(),
        { DataType: TensorDataType.Int32, Dims.Count: <= 1, ElementCount: <= MaxElements } =>
            Array.ConvertAll(tensor.ToInt32s(), static value => (long)value),
        _ => null,
    };

    /// <summary>A position as in Slice and Shape: negative counts from the end; clamped.</summary>
    private static int Position(long position, int length) => (int)Math.Clamp(position < 0 ? position + length : position, 0, length);
}
