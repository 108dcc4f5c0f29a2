using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Integer.Layout;

/// <summary>Slice with constant axes of type int64.</summary>
internal sealed class SliceLayout : LayoutRule
{
    private const int Starts = 1, Axes = 3;

    /// <inheritdoc/>
    public override bool Applies(NodeProto node, int rank, GraphView view) =>
        node.Input.Count > Starts
            && view.Constant(node.InputAt(Axes).Length == 0 ? node.Input[Starts] : node.Input[Axes]) is { DataType: TensorDataType.Int64 };

    /// <inheritdoc/>
    public override void ChangeLayout(NodeProto node, LayoutChange change, GraphView view)
    {
        long[] axes = ConstantAxes.Integers(node, Axes, view)
            ?? [.. Enumerable.Range(0, (int)view.Constant(node.Input[Starts])!.ElementCount).Select(static axis => (long)axis)];
        change.Set(node, Axes, Array.ConvertAll(axes, change.Of));
    }
}
