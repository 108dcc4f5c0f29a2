using NestQuant.Onnx;

namespace NestQuant.Passes.OperatorSets;

/// <summary>How a node of one version of an operator is written in the next version that is not compatible with it.</summary>
internal abstract class UpgradeRule
{
    /// <summary>Why a node cannot be written in the new version with the same results; null where it can.</summary>
    public virtual string? WhyNot(NodeProto node, UpgradeScope scope) => null;

    /// <summary>Rewrites a node for which <see cref="WhyNot"/> has no reason.</summary>
    public abstract void Apply(NodeProto node, UpgradeScope scope);
}
