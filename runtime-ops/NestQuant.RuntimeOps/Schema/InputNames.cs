namespace NestQuant.RuntimeOps.Schema;

/// <summary>Names of the operators' inputs, as <see cref="OperatorSchema"/> and messages use them.</summary>
internal static class InputNames
{
    public const string X = "X";
    public const string Indices = "indices";
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
    public const string PartScale = "part_scale";
    public const string PartBias = "part_bias";
    public const string Addend = "addend";
    public const string Table = "table";
    public const string Shift = "shift";
    public const string Period = "period";
    public const string MapScale = "scale";
    public const string MapBias = "bias";
    public const string Scales = "scales";
    public const string Sizes = "sizes";
    public const string ChannelScale = "scale";
    public const string ChannelBias = "bias";
    public const string Slope = "slope";

    /// <summary>
    /// The low operand of a step: <see cref="WeightLow"/> for the first, from the lowest level to the next, then W_low_2 to W_low_6.
    /// </summary>
    /// <param name="step">The step, from 1.</param>
    public static string WeightStep(int step) => step == 1 ? WeightLow : $"{WeightLow}_{(char)('0' + step)}";
}
