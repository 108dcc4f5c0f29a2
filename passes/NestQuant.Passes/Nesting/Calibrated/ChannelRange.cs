namespace NestQuant.Passes.Nesting.Calibrated;

/// <summary>The range of one channel's weights at full precision: about the middle of all weights, or about zero when symmetric.</summary>
/// <param name="Factor">Length of the range over that of the range that holds all weights, 1/2 to 1.</param>
/// <param name="Unit">Weight units per integer step.</param>
/// <param name="Zero">Zero point, an integer.</param>
internal readonly record struct ChannelRange(double Factor, double Unit, double Zero)
{
    /// <summary>
    /// Shrinks a range. The integers are -2^(n-1) to 2^(n-1) - 1, with -1/2 in the middle: the weight that it stands for stays. A zero
    /// point of 0 remains 0, since a factor of at least 1/2 moves it by at most 1/2.
    /// </summary>
    public static ChannelRange Of(double unit, double zero, double factor) =>
        new(factor, unit * factor, Math.Round(((zero + 0.5) / factor) - 0.5));
}
