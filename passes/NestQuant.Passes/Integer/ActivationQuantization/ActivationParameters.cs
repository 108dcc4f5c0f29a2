using NestQuant.Compiler.Calibration;

namespace NestQuant.Passes.Integer;

/// <summary>Scale and zero point of a uint8 activation: <c>real = (quantized - zero point) * scale</c>.</summary>
/// <param name="Scale">Finite and positive.</param>
/// <param name="ZeroPoint">The integer that stands for 0.</param>
internal readonly record struct ActivationParameters(float Scale, byte ZeroPoint)
{
    /// <summary>
    /// Scales below this make quotients of scales overflow float32 inside an integer operator. A range that narrow is one of zeros for any
    /// network, and gets scale 1: zero stays exact, and so does every value that the range was said to hold, to within 2^-92.
    /// </summary>
    private const float SmallestScale = 1f / (1L << 50) / (1L << 50);

    /// <summary>The parameters that spend all 256 values on a finite range and represent 0 exactly.</summary>
    public static ActivationParameters Of(TensorRange range)
    {
        double min = Math.Min(range.Min, 0), max = Math.Max(range.Max, 0);
        float scale = (float)((max - min) / byte.MaxValue);
        if (scale < SmallestScale) return new ActivationParameters(1, 0);
        return new ActivationParameters(scale, (byte)Math.Clamp(Math.Round(-min / scale, MidpointRounding.ToEven), 0, byte.MaxValue));
    }

    /// <summary>Why a range cannot be used; null where it can.</summary>
    public static string? WhyNot(TensorRange range)
    {
        bool usable = float.IsFinite(range.Min) && float.IsFinite(range.Max) && range.Min <= range.Max;
        return usable ? null : FormattableString.Invariant($"[{range.Min}, {range.Max}] is no range");
    }
}
