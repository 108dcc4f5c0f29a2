using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Integer.Layout;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.Cleanup;

/// <summary>
/// Gives Pad and Resize a value for every axis where they list only some axes.
/// <code>
/// y = Pad (x, [1, 2, 3, 4], , [-2, -1])        y = Resize &lt;axes = [3, 2]&gt; (x, , [2, 4])
/// y = Pad (x, [0, 0, 1, 2, 0, 0, 3, 4])        y = Resize (x, , [1, 1, 4, 2])
/// </code>
/// </summary>
/// <remarks>
/// ONNX Runtime moves transposes, such as those around nested convolutions, past these operators without permuting the axes they list.
/// Sizes stay as they are, since the extents of the other axes are not known. The pass logs no decisions.
/// </remarks>
public sealed class CompleteAxesPass : IGraphPass
{
    private const int Pads = 1, PadAxes = 3, Regions = 1, Scales = 2;

    /// <inheritdoc/>
    public string Name => "complete-axes";

    /// <inheritdoc/>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var names = new UniqueNames(context.Model);
        bool changed = false;
        foreach (GraphView view in GraphView.Of(context.Model.MainGraph()).WithInner())
        {
            var ranks = new ValueRanks(view);
            foreach (NodeProto node in view.Graph.Node)
            {
                if (!(node.Is("Pad") || node.Is("Resize")) || ranks.Of(node.InputAt(0)) is not { } rank) continue;
                changed |= node.Is("Pad") ? CompletePad(node, rank, view, names) : CompleteResize(node, rank, view, names);
            }
        }

        return new PassResult(changed);
    }

    private static bool CompletePad(NodeProto node, int rank, GraphView view, UniqueNames names)
    {
        if (ConstantAxes.Integers(node, PadAxes, view) is not { } axes || !AreOf(rank, axes)) return false;
        if (ConstantAxes.Integers(node, Pads, view) is not { } pads || pads.Length != 2 * axes.Length) return false;
        ReadOnlySpan<long> widths = pads;
        long[] complete = [.. Complete(0, widths[..axes.Length], axes, rank), .. Complete(0, widths[axes.Length..], axes, rank)];
        SetConstant(node, Pads, name => TensorProto.FromInt64s(name, [complete.Length], complete), view, names);
        view.SetInput(node, PadAxes, "");
        while (node.Input[^1].Length == 0) node.Input.RemoveAt(node.Input.Count - 1);
        return true;
    }

    private static bool CompleteResize(NodeProto node, int rank, GraphView view, UniqueNames names)
    {
        if (node.GetInts("axes") is not { } axes || !AreOf(rank, axes)) return false;
        if (Floats(node, Scales, view) is not { } scales || scales.Length != axes.Length) return false;
        if (node.InputAt(Regions).Length > 0)
        {
            if (Floats(node, Regions, view) is not { } regions || regions.Length != 2 * axes.Length) return false;
            ReadOnlySpan<float> bounds = regions;
            float[] completeBounds = [.. Complete(0, bounds[..axes.Length], axes, rank), .. Complete(1, bounds[axes.Length..], axes, rank)];
            SetConstant(node, Regions, name => TensorProto.FromFloats(name, [completeBounds.Length], completeBounds), view, names);
        }

        float[] complete = Complete<float>(1, scales, axes, rank);
        SetConstant(node, Scales, name => TensorProto.FromFloats(name, [rank], complete), view, names);
        node.Attribute.RemoveAll(static attribute => attribute.Name == "axes");
        return true;
    }

    private static bool AreOf(int rank, long[] axes) => Array.TrueForAll(axes, axis => axis >= -rank && axis < rank);

    private static float[]? Floats(NodeProto node, int input, GraphView view) =>
        view.Constant(node.InputAt(input)) is { DataType: TensorDataType.Float } tensor ? tensor.ToFloats() : null;

    private static T[] Complete<T>(T others, ReadOnlySpan<T> values, long[] axes, int rank)
    {
        var complete = new T[rank];
        Array.Fill(complete, others);
        for (int i = 0; i < axes.Length; i++) complete[axes[i] < 0 ? axes[i] + rank : axes[i]] = values[i];
        return complete;
    }

    private static void SetConstant(NodeProto node, int input, Func<string, TensorProto> create, GraphView view, UniqueNames names)
    {
        TensorProto tensor = create(names.Next(node.Input[input] + "_of_all_axes"));
        view.AddInitializer(tensor);
        view.SetInput(node, input, tensor.Name);
    }
}
