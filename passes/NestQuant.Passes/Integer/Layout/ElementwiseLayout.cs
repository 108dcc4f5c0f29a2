using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Integer.Layout;

/// <summary>Operators of one tensor that treat all elements alike: nothing changes.</summary>
internal sealed class ElementwiseLayout : LayoutRule;

/// <summary>Operators of one tensor that treat all elements of a channel alike: the number of its axis changes.</summary>
internal sealed class ChannelAxisLayout : LayoutRule
{
    /// <inheritdoc/>
    public override void ChangeLayout(NodeProto node, LayoutChange change, GraphView view) =>
        node.SetAttribute(AttributeProto.Int(AttributeNames.Axis, change.Of(node.GetInt(OperatorAttributes.Axis)) - change.Rank));
}

/// <summary>Sum of one operand, which is that operand.</summary>
internal sealed class SumLayout : LayoutRule
{
    /// <inheritdoc/>
    public override bool Applies(NodeProto node, int rank, GraphView view) => node.Input.Count == 1;
}

/// <summary>QuantizeLinear and DequantizeLinear with one scale for the whole tensor.</summary>
internal sealed class QuantizerLayout : LayoutRule
{
    /// <inheritdoc/>
    public override bool Applies(NodeProto node, int rank, GraphView view) => view.Constant(node.InputAt(1)) is { ElementCount: 1 };
}

/// <summary>Operators of two tensors of the same rank, which broadcast axis by axis.</summary>
internal sealed class BinaryLayout(int left, int right) : LayoutRule
{
    /// <inheritdoc/>
    public override IEnumerable<int> DataInputs(NodeProto node) => [left, right];
}
