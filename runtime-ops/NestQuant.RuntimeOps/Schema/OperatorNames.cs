using NestQuant.RuntimeOps.Operators;

namespace NestQuant.RuntimeOps.Schema;

/// <summary>Types of the operators in the domain <see cref="NestQuantOps.Domain"/>; docs/operators.md describes them.</summary>
internal static class OperatorNames
{
    /// <summary>The float form of a nested weight.</summary>
    public const string NestedDequantizeLinear = "NestedDequantizeLinear";

    /// <summary>The bias of a weight-only layer at the precision of a run.</summary>
    public const string NestedBias = "NestedBias";

    /// <summary>Rows of a nested table.</summary>
    public const string NestedGather = "NestedGather";

    /// <summary>A convolution, channels last, with a float result.</summary>
    public const string NestedConv = "NestedConv";

    /// <summary>A matrix product with a float result.</summary>
    public const string NestedGemm = "NestedGemm";

    /// <summary>A convolution of floats, channels second, with a float result.</summary>
    public const string NestedFloatConv = "NestedFloatConv";

    /// <summary>A matrix product of floats with a float result.</summary>
    public const string NestedFloatGemm = "NestedFloatGemm";

    /// <summary>GroupNL's generated maps.</summary>
    public const string GroupNLExpand = "GroupNLExpand";

    /// <summary>A convolution and GroupNL's maps generated from its result.</summary>
    public const string NestedGroupNLConv = "NestedGroupNLConv";

    /// <summary>A convolution, channels last, with a uint8 result.</summary>
    public const string NestedQLinearConv = "NestedQLinearConv";

    /// <summary>Bilinear interpolation of bytes, channels last.</summary>
    public const string QLinearResize = "QLinearResize";

    /// <summary>DepthToSpace of bytes, channels last.</summary>
    public const string NhwcDepthToSpace = "NhwcDepthToSpace";

    /// <summary>A matrix product with a uint8 result.</summary>
    public const string NestedQLinearGemm = "NestedQLinearGemm";

    /// <summary>A function of uint8 values, as a table.</summary>
    public const string QLinearLookup = "QLinearLookup";

    /// <summary>An affine function of uint8 values for every channel, and PRelu of it.</summary>
    public const string QLinearAffine = "QLinearAffine";
}
