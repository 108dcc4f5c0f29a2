using NestQuant.Onnx;

namespace NestQuant.Passes.OperatorSets;

/// <summary>A new attribute whose default is not what the operator did before.</summary>
/// <param name="attribute">Name of the attribute.</param>
/// <param name="value">What it did.</param>
internal sealed class AttributeDefault(string attribute, string value) : UpgradeRule
{
    /// <inheritdoc/>
    public override void Apply(NodeProto node, UpgradeScope scope) => node.SetAttribute(AttributeProto.String(attribute, value));
}
