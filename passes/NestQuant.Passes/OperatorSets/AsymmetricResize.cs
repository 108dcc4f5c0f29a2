using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.OperatorSets;

/// <summary>
/// Resize of operator set 10, whose coordinates and rounding have names in later ones.
/// <code>
/// y = Resize (x, scales)
/// y = Resize &lt;coordinate_transformation_mode = asymmetric, nearest_mode = floor&gt; (x, [], scales)
/// </code>
/// </summary>
/// <remarks>
/// ONNX Runtime takes the nearest element below where an axis becomes longer, as ONNX says, and the one above where it becomes shorter.
/// </remarks>
internal sealed class AsymmetricResize : UpgradeRule
{
    private const int OldScales = 1, Regions = 1, Scales = 2;

    /// <inheritdoc/>
    public override string? WhyNot(NodeProto node, UpgradeScope scope)
    {
        if (!IsNearest(node) || scope.IsEnlarging(node)) return null;
        if (scope.Floats(node.InputAt(OldScales)) is not { } scales)
            return "its scales are computed, and rounding depends on whether they are below 1";
        return Shrinks(scales) && Array.Exists(scales, static scale => scale > 1)
            ? "it makes one axis longer and another one shorter, which round in different ways"
            : null;
    }

    /// <inheritdoc/>
    public override void Apply(NodeProto node, UpgradeScope scope)
    {
        string scales = node.Input[OldScales];
        bool shrinks = IsNearest(node) && !scope.IsEnlarging(node) && Shrinks(scope.Floats(scales)!);
        node.SetAttribute(AttributeProto.String("coordinate_transformation_mode", "asymmetric"));
        if (IsNearest(node)) node.SetAttribute(AttributeProto.String("nearest_mode", shrinks ? "ceil" : "floor"));
        UpgradeScope.SetInput(node, Regions, scope.Constant("no_regions", TensorProto.FromFloats("", [0], [])));
        UpgradeScope.SetInput(node, Scales, scales);
    }

    private static bool IsNearest(NodeProto node) => node.GetString("mode", "nearest") == "nearest";

    private static bool Shrinks(float[] scales) => Array.Exists(scales, static scale => scale < 1);
}
