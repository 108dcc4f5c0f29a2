using NestQuant.Compiler.Graph;
using NestQuant.Compiler.Onnx;

namespace NestQuant.Passes.Integer.Layout;

/// <summary>Resize with constant scales or sizes, one per axis.</summary>
internal sealed class ResizeLayout : LayoutRule
{
    private const int Regions = 1, Scales = 2, Sizes = 3;

    /// <inheritdoc/>
    public override bool Applies(NodeProto node, int rank, GraphView view) =>
        node.GetString("mode", "nearest") == "nearest"
        && node.GetAttribute("axes") is null
        && node.GetString("keep_aspect_ratio_policy", "stretch") == "stretch"
        && (node.InputAt(Regions).Length == 0 || view.Constant(node.Input[Regions]) is { ElementCount: 0 })
        && node.Input.Count > Scales
        && HasOneForEachAxis(node, Scales, rank, view)
        && HasOneForEachAxis(node, Sizes, rank, view);

    /// <inheritdoc/>
    public override void Turn(NodeProto node, int rank, GraphView view, UniqueNames names)
    {
        if (view.Constant(node.Input[Scales]) is { ElementCount: > 0 } scales) ConstantAxes.Set(node, Scales, AxisOrder.Reordered<float>(scales.ToFloats()), view, names);
        if (ConstantAxes.Integers(node, Sizes, view) is { Length: > 0 } sizes) ConstantAxes.Set(node, Sizes, AxisOrder.Reordered<long>(sizes), view, names);
    }

    /// <summary>Whether an input is left out, in either of the two ways, or constant.</summary>
    private static bool HasOneForEachAxis(NodeProto node, int input, int rank, GraphView view) =>
        node.InputAt(input).Length == 0 || (view.Constant(node.Input[input]) is { } tensor && (tensor.ElementCount == 0 || tensor.ElementCount == rank));
}
