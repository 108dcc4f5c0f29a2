using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Integer.Layout;

/// <summary>Pad with constant widths: first all begins, then all ends, one per axis.</summary>
internal sealed class PadLayout : LayoutRule
{
    private const int Pads = 1, Axes = 3;

    /// <inheritdoc/>
    public override bool Applies(NodeProto node, int rank, GraphView view) =>
        node.InputAt(Axes).Length == 0 && ConstantAxes.Integers(node, Pads, view)?.Length == 2 * rank;

    /// <inheritdoc/>
    public override void Turn(NodeProto node, AxisTurn turn, GraphView view)
    {
        long[] pads = ConstantAxes.Integers(node, Pads, view)!;
        turn.Set(node, Pads, [.. turn.Reordered<long>(pads.AsSpan(0, turn.Rank)), .. turn.Reordered<long>(pads.AsSpan(turn.Rank))]);
    }
}
