using NestQuant.RuntimeOps.Interop;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>Every operator of the domain.</summary>
internal static class OperatorCatalog
{
    /// <summary>The operators, in a fixed order.</summary>
    public static IReadOnlyList<CustomOperator> All { get; } =
    [
        new NestedDequantizeLinear(),
        new NestedConv(isQuantized: false),
        new NestedGemm(isQuantized: false),
        new GroupNLExpand(),
        new NestedGroupNLConv(),
        new NestedConv(isQuantized: true),
        new NestedGemm(isQuantized: true),
        new QLinearLookup(),
    ];
}
