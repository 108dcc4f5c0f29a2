using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Integer.Layout;

/// <summary>Concatenation along an axis, whose number changes.</summary>
/// <param name="first">First data input.</param>
/// <param name="step">Inputs from one data input to the next.</param>
internal sealed class ConcatLayout(int first, int step) : LayoutRule
{
    /// <inheritdoc/>
    public override bool Applies(NodeProto node, int rank, GraphView view) => node.GetAttribute("axis") is not null;

    /// <inheritdoc/>
    public override IEnumerable<int> DataInputs(NodeProto node)
    {
        for (int input = first; input < node.Input.Count; input += step) yield return input;
    }

    /// <inheritdoc/>
    public override void ChangeLayout(NodeProto node, LayoutChange change, GraphView view) =>
        node.SetAttribute(AttributeProto.Int("axis", change.Of(node.GetInt("axis", 1))));
}

/// <summary>Split along an axis, whose number changes.</summary>
internal sealed class SplitLayout : LayoutRule
{
    /// <inheritdoc/>
    public override int DataOutputs(NodeProto node) => node.Output.Count;

    /// <inheritdoc/>
    public override void ChangeLayout(NodeProto node, LayoutChange change, GraphView view) =>
        node.SetAttribute(AttributeProto.Int("axis", change.Of(node.GetInt("axis", 0))));
}
