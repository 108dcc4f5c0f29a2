using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Integer.Layout;

/// <summary>Resize with constant scales or sizes: one for every axis, or one for each of the axes that an attribute names.</summary>
internal sealed class ResizeLayout : LayoutRule
{
    private const int Scales = 2, Sizes = 3;

    /// <inheritdoc/>
    public override bool Applies(NodeProto node, int rank, GraphView view)
    {
        int axes = node.GetInts("axes")?.Length ?? rank;
        return node.GetString("mode", "nearest") == "nearest"
            && node.GetString("coordinate_transformation_mode", "half_pixel") != "tf_crop_and_resize"
            && node.Input.Count > Scales
            && HasOneForEachAxis(node, Scales, axes, view)
            && HasOneForEachAxis(node, Sizes, axes, view);
    }

    /// <inheritdoc/>
    public override void ChangeLayout(NodeProto node, LayoutChange change, GraphView view)
    {
        if (node.GetInts("axes") is { } axes)
        {
            node.SetAttribute(AttributeProto.IntList("axes", Array.ConvertAll(axes, change.Of)));
            return;
        }

        if (view.Constant(node.Input[Scales]) is { ElementCount: > 0 } scales)
            change.Set(node, Scales, change.Reordered<float>(scales.ToFloats()));
        if (ConstantAxes.Integers(node, Sizes, view) is { Length: > 0 } sizes) change.Set(node, Sizes, change.Reordered<long>(sizes));
    }

    /// <summary>Whether an input is left out, in either of the two ways, or constant.</summary>
    private static bool HasOneForEachAxis(NodeProto node, int input, int axes, GraphView view) =>
        node.InputAt(input).Length == 0 || (view.Constant(node.Input[input])?.ElementCount is { } count && (count == 0 || count == axes));
}
