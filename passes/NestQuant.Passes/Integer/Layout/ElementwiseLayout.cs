using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Integer.Layout;

/// <summary>Operators of one tensor that treat all elements alike: nothing changes.</summary>
internal sealed class ElementwiseLayout : LayoutRule;

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
