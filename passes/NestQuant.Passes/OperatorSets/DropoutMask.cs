using NestQuant.Onnx;

namespace NestQuant.Passes.OperatorSets;

/// <summary>
/// Dropout, whose mask is Boolean from operator set 10 on, and says from 12 on what an inference keeps: everything, where ONNX Runtime's
/// masks of earlier versions say nothing. A mask that nothing reads goes.
/// </summary>
/// <param name="moves">As for <see cref="AttributesToInputs"/>.</param>
internal sealed class DropoutMask(params (string Attribute, int Input)[] moves) : AttributesToInputs(moves)
{
    private const int Mask = 1;

    /// <inheritdoc/>
    public override string? WhyNot(NodeProto node, UpgradeScope scope) => node.Output.Count > Mask && scope.IsRead(node.Output[Mask])
        ? "its mask is used, which later versions compute in another way"
        : base.WhyNot(node, scope);

    /// <inheritdoc/>
    public override void Apply(NodeProto node, UpgradeScope scope)
    {
        base.Apply(node, scope);
        if (node.Output.Count > Mask) node.Output.RemoveAt(Mask);
    }
}
