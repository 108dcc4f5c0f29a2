using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.OperatorSets;

/// <summary>Split into equal parts, whose number is an attribute from operator set 18 on.</summary>
internal sealed class SplitCount : UpgradeRule
{
    private const int Lengths = 1;

    /// <inheritdoc/>
    public override void Apply(NodeProto node, UpgradeScope scope)
    {
        if (node.InputAt(Lengths).Length == 0) node.SetAttribute(AttributeProto.Int("num_outputs", node.Output.Count));
    }
}
