using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Nesting;

/// <summary>How one weight becomes nested integers.</summary>
/// <param name="Bits">Bit widths n:h.</param>
/// <param name="Scheme">Symmetric or affine.</param>
/// <param name="Rounding">Rounding of the first stage, to n bits.</param>
/// <param name="SplitRounding">Rounding of the second stage, to h bits.</param>
internal sealed record WeightQuantization(NestedBits Bits, WeightScheme Scheme, WeightRounding Rounding, WeightRounding SplitRounding)
{
    /// <summary>The same with the best rounding that needs no data in the place of calibrated rounding, which starts from it.</summary>
    public WeightQuantization WithoutData => this with { Rounding = WithoutDataOf(Rounding), SplitRounding = WithoutDataOf(SplitRounding) };

    /// <summary>
    /// The same rounded to nearest, the best for values that are results themselves: no sum lets the error of one make up for that of
    /// another.
    /// </summary>
    public WeightQuantization ToNearest => this with { Rounding = ToNearestOf(Rounding), SplitRounding = ToNearestOf(SplitRounding) };

    private static WeightRounding ToNearestOf(WeightRounding rounding) =>
        rounding == WeightRounding.Floor ? rounding : WeightRounding.Nearest;

    private static WeightRounding WithoutDataOf(WeightRounding rounding) =>
        rounding == WeightRounding.Calibrated ? WeightRounding.Adaptive : rounding;
}
