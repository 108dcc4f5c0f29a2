using NestQuant.Compiler.Graph;
using NestQuant.Compiler.Onnx;
using NestQuant.Passes.Integer.Layout;

namespace NestQuant.Passes.Export;

/// <summary>Axes of channels-last nodes in terms of the channels-first tensors that they get in an exported model.</summary>
internal static class ChannelsFirstAxes
{
    /// <summary>Where an axis of a channels-last tensor lies in the channels-first one.</summary>
    /// <param name="axis">The axis; a negative one counts from the end.</param>
    /// <param name="rank">Rank of the tensor.</param>
    public static long Of(long axis, int rank)
    {
        long last = axis < 0 ? axis + rank : axis;
        return last == 0 ? 0 : last == rank - 1 ? 1 : last + 1;
    }

    /// <summary>Rewrites what names axes in a copy of a node.</summary>
    /// <returns>Whether that was possible.</returns>
    public static bool Rewrite(NodeProto node, int rank, ExportedGraph graph)
    {
        GraphView view = graph.View;
        switch (node.OpType)
        {
            case "Concat" or "Split":
                node.SetAttribute(AttributeProto.Int("axis", Of(node.GetInt("axis", 0), rank)));
                return true;
            case "Slice":
                if (ConstantAxes.Integers(node, 3, view) is not { } axes) return false;
                SetIntegers(node, 3, Array.ConvertAll(axes, axis => Of(axis, rank)), graph);
                return true;
            case "Pad":
                if (node.InputAt(3).Length > 0 || ConstantAxes.Integers(node, 1, view) is not { } pads || pads.Length != 2 * rank) return false;
                SetIntegers(node, 1, [.. Reordered<long>(pads.AsSpan(0, rank)), .. Reordered<long>(pads.AsSpan(rank))], graph);
                return true;
            case "Resize":
                if (view.Constant(node.InputAt(2)) is { DataType: TensorDataType.Float } scales && scales.ElementCount == rank)
                    node.Input[2] = graph.Context.Add(node.Input[2], name => TensorProto.FromFloats(name, [rank], Reordered<float>(scales.ToFloats())));
                else if (ConstantAxes.Integers(node, 3, view) is { } sizes && sizes.Length == rank)
                    SetIntegers(node, 3, Reordered<long>(sizes), graph);
                else
                    return false;
                return true;
            default:
                return true;
        }
    }

    private static T[] Reordered<T>(ReadOnlySpan<T> values)
    {
        var reordered = new T[values.Length];
        for (int axis = 0; axis < values.Length; axis++) reordered[Of(axis, values.Length)] = values[axis];
        return reordered;
    }

    private static void SetIntegers(NodeProto node, int input, long[] values, ExportedGraph graph) =>
        node.Input[input] = graph.Context.Add(node.Input[input], name => TensorProto.FromInt64s(name, [values.Length], values));
}
