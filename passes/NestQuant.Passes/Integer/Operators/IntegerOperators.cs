using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Integer.ActivationQuantization;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.Integer.Operators;

/// <summary>
/// The float operators that have an integer form, and the rule that writes it. Elementwise functions of one input need no rule: they become
/// tables, see <see cref="PointwiseFunctions"/>.
/// </summary>
internal static class IntegerOperators
{
    /// <summary>Writes the integer form of a matched node.</summary>
    /// <returns>Null where it did, otherwise why the node stays float.</returns>
    public delegate string? NodeRewrite(IntegerMatch match);

    /// <summary>The rule for a node's operator; null where it has none.</summary>
    public static NodeRewrite? For(NodeProto node) => node.IsDefaultDomain() ? Rules.GetValueOrDefault(node.OpType) : null;

    private static readonly Dictionary<string, NodeRewrite> Rules = new(StringComparer.Ordinal)
    {
        ["Add"] = static match => match.HasConstant ? AffineRule.Apply(match) : BinaryRule.Apply(match, MicrosoftOperators.QLinearAdd),
        ["Mul"] = static match => match.HasConstant ? AffineRule.Apply(match) : BinaryRule.Apply(match, MicrosoftOperators.QLinearMul),
        ["BatchNormalization"] = AffineRule.Apply,
        ["Div"] = AffineRule.Apply,
        ["PRelu"] = AffineRule.Apply,
        ["Sub"] = AffineRule.Apply,
        ["Concat"] = ConcatRule.Apply,

        ["AveragePool"] = AveragePoolRule.Apply,
        ["GlobalAveragePool"] = GlobalAveragePoolRule.Apply,
        ["ReduceMean"] = GlobalAveragePoolRule.ApplyToMean,

        // Operators that move or select elements without computing new ones.
        ["DepthToSpace"] = MovementRule.Apply,
        ["Expand"] = MovementRule.Apply,
        ["Flatten"] = MovementRule.Apply,
        ["Gather"] = MovementRule.Apply,
        ["MaxPool"] = MovementRule.ApplyToMaxPool,
        ["Pad"] = MovementRule.ApplyToPad,
        ["Reshape"] = MovementRule.Apply,
        ["Resize"] = MovementRule.ApplyToResize,
        ["Slice"] = MovementRule.Apply,
        ["SpaceToDepth"] = MovementRule.Apply,
        ["Split"] = MovementRule.Apply,
        ["Squeeze"] = MovementRule.Apply,
        ["Tile"] = MovementRule.Apply,
        ["Transpose"] = MovementRule.Apply,
        ["Unsqueeze"] = MovementRule.Apply,
    };
}
