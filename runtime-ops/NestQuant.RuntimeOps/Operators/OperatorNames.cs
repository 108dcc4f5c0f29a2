namespace NestQuant.RuntimeOps.Operators;

/// <summary>Types of the operators in the domain <see cref="NestQuantOps.Domain"/>.</summary>
public static class OperatorNames
{
    /// <summary>W_high, W_low?, w_scale, w_zero_point?, bits -> float W: see <see cref="NestedDequantizeLinear"/>.</summary>
    public const string NestedDequantizeLinear = "NestedDequantizeLinear";

    /// <summary>
    /// X, x_scale, x_zero_point, W_high, W_low?, w_scale, w_zero_point?, B?, bits -> float Y, NHWC: see <see cref="NestedConv"/>.
    /// </summary>
    public const string NestedConv = "NestedConv";

    /// <summary>
    /// X, x_scale, x_zero_point, W_high, W_low?, w_scale, w_zero_point?, B?, bits -> float Y: see <see cref="NestedGemm"/>.
    /// </summary>
    public const string NestedGemm = "NestedGemm";

    /// <summary>X, shift, period, scale?, bias? -> float Y, the layout of X: see GroupNLExpand.</summary>
    public const string GroupNLExpand = "GroupNLExpand";

    /// <summary>
    /// X, x_scale, x_zero_point, W_high, W_low?, w_scale, w_zero_point?, B?, shift, period, scale?, bias?, bits -> float Y, NHWC: see
    /// NestedGroupNLConv.
    /// </summary>
    public const string NestedGroupNLConv = "NestedGroupNLConv";

    /// <summary>
    /// X, x_scale, x_zero_point, W_high, W_low?, w_scale, w_zero_point?, B?, y_scale, y_zero_point, bits -> uint8 Y, NHWC: see
    /// <see cref="NestedConv"/>.
    /// </summary>
    public const string NestedQLinearConv = "NestedQLinearConv";

    /// <summary>
    /// X, x_scale, x_zero_point, W_high, W_low?, w_scale, w_zero_point?, B?, y_scale, y_zero_point, bits -> uint8 Y: see
    /// <see cref="NestedGemm"/>.
    /// </summary>
    public const string NestedQLinearGemm = "NestedQLinearGemm";

    /// <summary>X uint8, table uint8[256] -> uint8 Y = table[X], the shape of X: see <see cref="Operators.QLinearLookup"/>.</summary>
    public const string QLinearLookup = "QLinearLookup";
}
