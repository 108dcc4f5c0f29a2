using NestQuant.Compiler.Calibration;

namespace NestQuant.Passes.Integer.ActivationQuantization;

/// <summary>Scale and zero point of a uint8 activation: <c>real = (quantized - zero point) * scale</c>.</summary>
/// <param name="Scale">Finite and positive.</param>
/// <param name="ZeroPoint">The integer that stands for 0.</param>
internal readonly record struct ActivationParameters(float Scale, byte ZeroPoint)
{
    /// <summary>Outside these limits, products or quotients of scales inside an integer operator overflow or underflow float32.</summary>
    private const float SmallestScale = 1 / LargestScale, LargestScale = (float)(1L << 50) * (1L << 50);

    /// <summary>
    /// The parameters that use all 256 values for a usable range and represent 0 exactly. The range [0, 0] gets scale 1.
    /// </summary>
    public static ActivationParameters Of(TensorRange range)
    {
        double min = Math.Min(range.Min, 0), max = Math.Max(range.Max, 0);
        if (min == max) return new ActivationParameters(1, 0);
        float scale = (float)((max - min) / byte.MaxValue);
        return new ActivationParameters(scale, (byte)Math.Clamp(Math.Round(-min / scale, MidpointRounding.ToEven), 0, byte.MaxValue));
    }

    /// <summary>Why a range cannot be used; null where it can.</summary>
    public static string? WhyNot(TensorRange range)
    {
        if (!float.IsFinite(range.Min) || !float.IsFinite(range.Max) || range.Min > range.Max)
            return FormattableString.Invariant($"[{range.Min}, {range.Max}] is not a range");
        double width = Math.Max((double)range.Max, 0) - Math.Min(range.Min, 0), scale = width / byte.MaxValue;
        if (width == 0 || scale is >= SmallestScale and <= LargestScale) return null;
        return FormattableString.Invariant(
            $"[{range.Min}, {range.Max}] is too {(scale < 1 ? "narrow" : "wide")} for scales in float32, its values would be lost");
    }
}
