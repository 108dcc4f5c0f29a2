using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>The implementation of every operator of <see cref="OperatorSet"/>.</summary>
internal static class OperatorCatalog
{
    /// <summary>The operators, in the order of <see cref="OperatorSet.All"/>.</summary>
    public static IReadOnlyList<CustomOperator> All { get; } =
    [
        new NestedDequantizeLinear(),
        new NestedConv(OperatorSet.NestedConv),
        new NestedGemm(OperatorSet.NestedGemm),
        new GroupNLExpand(),
        new NestedGroupNLConv(),
        new NestedConv(OperatorSet.NestedQLinearConv),
        new NestedGemm(OperatorSet.NestedQLinearGemm),
        new QLinearLookup(),
        new NestedBias(),
        new NestedGather(),
        new NestedFloatConv(),
        new NestedFloatGemm(),
        new QLinearResize(),
        new NhwcDepthToSpace(),
        new QLinearAffine(),
    ];
}
