using System.Globalization;

namespace NestQuant.Passes.Sampling;

/// <summary>A range of a uniform distribution.</summary>
/// <param name="Low">Lower end, finite.</param>
/// <param name="High">Upper end, finite and not below the lower one.</param>
public readonly record struct UniformRange(float Low, float High)
{
    /// <summary>Parses <c>low:high</c>, for example <c>1:2</c>.</summary>
    /// <exception cref="FormatException">The text is something else, or the ends are in the wrong order.</exception>
    public static UniformRange Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] ends = text.Split(':');
        float low = 0, high = 0;
        bool valid = ends.Length == 2 && TryParse(ends[0], out low) && TryParse(ends[1], out high) && low <= high;
        return valid ? new UniformRange(low, high) : throw new FormatException($"'{text}' is not a range: write low:high, for example 1:2");
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Low}:{High}");

    private static bool TryParse(string text, out float value) =>
        float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && float.IsFinite(value);
}
