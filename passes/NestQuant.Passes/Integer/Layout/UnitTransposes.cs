using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Integer.Layout;

/// <summary>
/// Transposes of tensors without spatial extents move nothing; they become Reshape, and before a Flatten they are removed.
/// <code>
/// c = Transpose (a); y = Flatten (c)                with a: [N, 1, 1, C]
/// y = Flatten (a)
/// </code>
/// </summary>
internal static class UnitTransposes
{
    /// <summary>Rewrites a graph.</summary>
    /// <returns>Whether anything was changed.</returns>
    public static bool Replace(GraphView view, UniqueNames names)
    {
        var extents = new UnitExtents(view);
        bool changed = false;
        foreach (NodeProto node in view.Graph.Node.ToArray())
        {
            bool toFirst = AxisOrder.IsToFirst(node) && extents.Of(node.Input[0]) == UnitExtent.ChannelsLast;
            bool toLast = AxisOrder.IsToLast(node) && extents.Of(node.Input[0]) == UnitExtent.ChannelsFirst;
            if (!toFirst && !toLast) continue;
            foreach (NodeProto consumer in view.Consumers(node.Output[0])
                    .Where(consumer => consumer.InputAt(0) == node.Output[0] && SeesOnlyChannels(consumer, view))
                    .ToArray())
                view.SetInput(consumer, 0, node.Input[0]);
            changed = true;
            if (view.Consumers(node.Output[0]).Count == 0 && !view.IsOutput(node.Output[0]))
            {
                view.Remove(node);
                continue;
            }

            int ones = node.GetInts("perm")!.Length - 2;
            long[] shape = toFirst ? [0, -1, .. Enumerable.Repeat(1L, ones)] : [0, .. Enumerable.Repeat(1L, ones), -1];
            var reshape = new NodeProto { OpType = "Reshape", Name = node.Name };
            reshape.Input.AddRange([node.Input[0], Shape(shape, view, names)]);
            reshape.Output.Add(node.Output[0]);
            view.Replace(node, reshape);
        }

        return changed;
    }

    /// <summary>Whether a node flattens all axes but the first, for any rank.</summary>
    private static bool SeesOnlyChannels(NodeProto node, GraphView view) =>
        (node.Is("Flatten") && node.GetInt("axis", 1) == 1)
        || (
            node.Is("Reshape")
                && node.GetInt("allowzero", 0) == 0
                && ConstantAxes.Integers(node, 1, view) is { Length: > 0 } shape
                && !shape.AsSpan(1).Contains(0));

    private static string Shape(long[] shape, GraphView view, UniqueNames names)
    {
        TensorProto? known = view.Graph.Initializer.Find(tensor =>
            tensor.DataType == TensorDataType.Int64
                && tensor.ElementCount == shape.Length
                && tensor.Dims.Count == 1
                && !view.IsInput(tensor.Name)
                && tensor.ToInt64s().AsSpan().SequenceEqual(shape));
        if (known is not null) return known.Name;
        TensorProto tensor = TensorProto.FromInt64s(
            names.Next(shape[1] == -1 ? "channels_first_shape" : "channels_last_shape"), [shape.Length], shape);
        view.AddInitializer(tensor);
        return tensor.Name;
    }
}
