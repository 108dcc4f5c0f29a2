using NestQuant.Compiler.Graph;
using NestQuant.Compiler.Onnx;

namespace NestQuant.Passes.Integer.Layout;

/// <summary>Pad with constant widths: first all begins, then all ends, one per axis.</summary>
internal sealed class PadLayout : LayoutRule
{
    private const int Pads = 1, Axes = 3;

    /// <inheritdoc/>
    public override bool Applies(NodeProto node, int rank, GraphView view) => node.InputAt(Axes).Length == 0 && ConstantAxes.Integers(node, Pads, view)?.Length == 2 * rank;

    /// <inheritdoc/>
    public override void Turn(NodeProto node, int rank, GraphView view, UniqueNames names)
    {
        long[] pads = ConstantAxes.Integers(node, Pads, view)!;
        ConstantAxes.Set(node, Pads, [.. AxisOrder.Reordered<long>(pads.AsSpan(0, rank)), .. AxisOrder.Reordered<long>(pads.AsSpan(rank))], view, names);
    }
}
