using System.Globalization;

namespace NestQuant.RuntimeOps.Packing;

/// <summary>
/// The two precisions of a nested weight, written <c>n:h</c>: an INT-n weight whose h high bits are usable alone
/// (NestQuant, arXiv 2506.17870, section III).
/// </summary>
/// <remarks>
/// A weight splits as <c>w_int = 2^l * w_high + w_low</c> with <c>l = n - h</c>, <c>w_high</c> in [-2^(h-1), 2^(h-1)-1] and
/// <c>w_low</c> in [-2^l, 2^l - 1]; <c>w_low</c> therefore takes <c>l + 1</c> bits, one more than the bits it replaces.
/// </remarks>
public readonly record struct NestedBits
{
    /// <summary>Creates the pair.</summary>
    /// <param name="full">n, the bits of the full-precision weight: 3 to 8.</param>
    /// <param name="high">h, the bits of the part-precision weight: 2 to n - 1.</param>
    /// <exception cref="ArgumentException">The pair is not 2 &lt;= h &lt; n &lt;= 8.</exception>
    public NestedBits(int full, int high)
    {
        if (high < 2 || high >= full || full > 8)
            throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture, $"nested bits {full}:{high} are not valid: n:h needs 2 <= h < n <= 8"));
        Full = full;
        High = high;
    }

    /// <summary>n: bits of the full-precision weight.</summary>
    public int Full { get; }

    /// <summary>h: bits of the part-precision weight, and the stored width of a high value.</summary>
    public int High { get; }

    /// <summary>l = n - h: the left shift that brings a high value to full scale.</summary>
    public int Shift => Full - High;

    /// <summary>l + 1: the stored width of a low value.</summary>
    public int LowWidth => Shift + 1;

    /// <summary>
    /// The bits that the weight has in a run at a precision: the highest of its levels, n and h, that is not above it, or else the lowest.
    /// </summary>
    /// <param name="precision">The precision, the same for all weights of a model.</param>
    public int LevelAt(int precision) => precision >= Full ? Full : High;

    /// <summary>Parses <c>n:h</c>, for example <c>8:6</c>.</summary>
    /// <exception cref="FormatException">The text is not two integers separated by a colon.</exception>
    /// <exception cref="ArgumentException">The pair is not 2 &lt;= h &lt; n &lt;= 8.</exception>
    public static NestedBits Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] parts = text.Split(':');
        if (parts.Length != 2
            || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int full)
            || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int high))
        {
            throw new FormatException($"'{text}' is not a pair of bit widths: write n:h, for example 8:6");
        }

        return new NestedBits(full, high);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Full}:{High}");
}
