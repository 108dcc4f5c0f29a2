using NestQuant.RuntimeOps.Interop;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>Every operator of the domain.</summary>
internal static class OperatorCatalog
{
    /// <summary>The operators, in a fixed order.</summary>
    public static IReadOnlyList<CustomOperator> All { get; } =
    [
        new NestedDequantizeLinear(),
        new NestedConv(),
        new NestedGemm(),
        new GroupNLExpand(),
        new NestedGroupNLConv(),
    ];
}
