namespace NestQuant.RuntimeOps.Schema;

/// <summary>Names of the operators' inputs, as <see cref="OperatorSchema"/> and messages use them.</summary>
internal static class InputNames
{
    public const string X = "X";
    public const string XScale = "x_scale";
    public const string XZeroPoint = "x_zero_point";
    public const string WeightHigh = "W_high";
    public const string WeightLow = "W_low";
    public const string WeightScale = "w_scale";
    public const string WeightZeroPoint = "w_zero_point";
    public const string Bias = "B";
    public const string YScale = "y_scale";
    public const string YZeroPoint = "y_zero_point";
    public const string Bits = "bits";
    public const string Table = "table";
    public const string Shift = "shift";
    public const string Period = "period";
    public const string MapScale = "scale";
    public const string MapBias = "bias";
}
