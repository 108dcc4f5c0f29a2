using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Integer.Layout;

/// <summary>Pad with constant widths: first those at the start of each axis, then those at the end.</summary>
internal sealed class PadLayout : LayoutRule
{
    private const int Pads = 1, Axes = 3;

    /// <inheritdoc/>
    public override bool Applies(NodeProto node, int rank, GraphView view) =>
        node.InputAt(Axes).Length == 0 && ConstantAxes.Integers(node, Pads, view)?.Length == 2 * rank;

    /// <inheritdoc/>
    public override void ChangeLayout(NodeProto node, LayoutChange change, GraphView view)
    {
        long[] pads = ConstantAxes.Integers(node, Pads, view)!;
        Span<long> starts = pads.AsSpan(0, change.Rank), ends = pads.AsSpan(change.Rank);
        change.Set(node, Pads, [.. change.Reordered<long>(starts), .. change.Reordered<long>(ends)]);
    }
}
