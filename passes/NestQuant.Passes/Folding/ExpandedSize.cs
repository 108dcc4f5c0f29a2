using NestQuant.Compiler.Graph;
using NestQuant.Compiler.Onnx;

namespace NestQuant.Passes.Folding;

/// <summary>Result sizes of the operators that make much out of little, so that a hostile or careless model cannot make folding fill the memory.</summary>
internal static class ExpandedSize
{
    /// <summary>The result's size in bytes, 8 per element; 0 for operators whose result is about as large as their inputs, or where it is not known.</summary>
    public static long Estimate(NodeProto node, GraphView view) => node.OpType switch
    {
        "ConstantOfShape" => Product(Integers(view, node.InputAt(0))),
        "Expand" => Product(Integers(view, node.InputAt(1))),
        "Tile" => Product(Integers(view, node.InputAt(1))) * (view.Constant(node.InputAt(0))?.ElementCount ?? 1),
        "Range" => Steps(Integers(view, node.InputAt(0)), Integers(view, node.InputAt(1)), Integers(view, node.InputAt(2))),
        _ => 0,
    };

    /// <summary>Whether the size of the node's result depends on one of these values: <see cref="Estimate"/> cannot tell it then.</summary>
    public static bool DependsOnAny(NodeProto node, IReadOnlySet<string> values) =>
        node.OpType is "ConstantOfShape" or "Expand" or "Tile" or "Range" && node.Input.Exists(values.Contains);

    private static long[]? Integers(GraphView view, string name) =>
        view.Constant(name) is { DataType: TensorDataType.Int64 } tensor ? tensor.ToInt64s() : null;

    private static long Product(long[]? values)
    {
        if (values is null) return 0;
        double product = 8;
        foreach (long value in values) product *= Math.Max(value, 1);
        return product < long.MaxValue / 2 ? (long)product : long.MaxValue / 2;
    }

    private static long Steps(long[]? start, long[]? limit, long[]? delta) =>
        start is [var first] && limit is [var last] && delta is [var step] && step != 0
            ? Product([(long)Math.Clamp(((double)last - first) / step, 0, long.MaxValue / 2)])
            : 0;
}
