using NestQuant.Onnx;

namespace NestQuant.Passes.OperatorSets;

/// <summary>A change that some nodes have no form for; all others stay as they are.</summary>
/// <param name="whyNot">Why a node has none; null where it stays.</param>
internal sealed class Refused(Func<NodeProto, string?> whyNot) : UpgradeRule
{
    /// <inheritdoc/>
    public override string? WhyNot(NodeProto node, UpgradeScope scope) => whyNot(node);

    /// <inheritdoc/>
    public override void Apply(NodeProto node, UpgradeScope scope)
    {
    }
}
