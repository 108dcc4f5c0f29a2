using System.Globalization;
using System.Numerics;

namespace NestQuant.RuntimeOps.Packing;

/// <summary>
/// The precisions of a nested weight, its levels, written <c>n:h</c>, or <c>8:6:4:2</c> for more than two: an INT-n weight whose high bits
/// are usable alone (NestQuant, arXiv 2506.17870, section III).
/// </summary>
/// <remarks>
/// The lowest level h is stored as the high operand, in h bits. A step leads from every level to the next higher one: with l the
/// difference of their bits, <c>w_above = 2^l * w_below + w_low</c>, where a weight of b bits is in [-2^(b-1), 2^(b-1) - 1] and
/// <c>w_low</c> in [-2^l, 2^l - 1]. <c>w_low</c> therefore takes l + 1 bits, one more than the bits it replaces. Every level stands for
/// <c>2^(n-b) * w_b</c> in steps of the full-precision weight.
/// </remarks>
public readonly record struct NestedBits
{
    /// <summary>The fewest and the most bits of a level.</summary>
    internal const int Least = 2, Most = 8;

    /// <summary>The most levels of a weight: one for every number of bits.</summary>
    internal const int MostLevels = Most - Least + 1;

    /// <summary>Bit b is set for a level of b bits.</summary>
    private readonly ushort _levels;

    /// <summary>Creates two levels.</summary>
    /// <param name="full">n, the bits of the full-precision weight: 3 to 8.</param>
    /// <param name="high">h, the bits of the part-precision weight: 2 to n - 1.</param>
    /// <exception cref="ArgumentException">The pair is not 2 &lt;= h &lt; n &lt;= 8.</exception>
    public NestedBits(int full, int high)
        : this([full, high])
    {
    }

    /// <summary>Creates two to seven levels.</summary>
    /// <param name="levels">Bits of the levels, the full-precision weight's first: each 2 to 8, and less than the one before.</param>
    /// <exception cref="ArgumentException">They are fewer than two, or not in that order or range.</exception>
    public NestedBits(params ReadOnlySpan<int> levels)
    {
        bool isValid = levels.Length >= 2;
        for (int i = 0; i < levels.Length; i++)
        {
            isValid &= levels[i] is >= Least and <= Most && (i == 0 || levels[i] < levels[i - 1]);
            _levels |= (ushort)(1 << (levels[i] & 15));
        }

        if (!isValid)
            throw new ArgumentException(
                $"nested bits {Text(levels.ToArray())} are not valid: n:h needs 2 <= h < n <= 8, and more levels n:...:h descend likewise");
    }

    /// <summary>n: bits of the full-precision weight.</summary>
    public int Full => _levels == 0 ? 0 : BitOperations.Log2(_levels);

    /// <summary>h: bits of the lowest level, and the stored width of a high value.</summary>
    public int High => _levels == 0 ? 0 : BitOperations.TrailingZeroCount(_levels);

    /// <summary>Number of levels: 2 to 7.</summary>
    public int Count => BitOperations.PopCount(_levels);

    /// <summary>Bits of the levels, descending.</summary>
    public IReadOnlyList<int> Levels
    {
        get
        {
            var levels = new int[Count];
            for (int i = 0, bits = Most; i < levels.Length; bits--)
                if (IsLevel(bits))
                    levels[i++] = bits;
            return levels;
        }
    }

    /// <summary>n - h: the left shift that brings a value of the lowest level to full scale.</summary>
    public int Shift => Full - High;

    /// <summary>The stored width of a low value of two levels, l + 1.</summary>
    public int LowWidth => Shift + 1;

    /// <summary>Whether the weight has a level.</summary>
    /// <param name="bits">Its bits.</param>
    public bool IsLevel(int bits) => bits is >= Least and <= Most && (_levels & (1 << bits)) != 0;

    /// <summary>
    /// The bits that the weight has in a run at a precision: the highest of its levels that is not above it, or else the lowest.
    /// </summary>
    /// <param name="precision">The precision, the same for all weights of a model.</param>
    public int LevelAt(int precision)
    {
        int notAbove = _levels & ((2 << Math.Clamp(precision, 0, Most)) - 1);
        return notAbove == 0 ? High : BitOperations.Log2((uint)notAbove);
    }

    /// <summary>The next higher level of one; that of full precision itself.</summary>
    /// <param name="level">Bits of a level.</param>
    public int Above(int level)
    {
        int above = _levels & ~((2 << level) - 1);
        return above == 0 ? level : BitOperations.TrailingZeroCount(above);
    }

    /// <summary>The position of a level among <see cref="Levels"/>: 0 for full precision.</summary>
    /// <param name="level">Bits of a level.</param>
    public int IndexOf(int level) => BitOperations.PopCount((uint)_levels >> (level + 1));

    /// <summary>The level that a step reaches; step 0 stands for the high operand, which has the lowest level.</summary>
    /// <param name="step">0 to <see cref="Count"/> - 1.</param>
    internal int LevelOfStep(int step)
    {
        int levels = _levels;
        for (; step > 0; step--)
            levels &= levels - 1;
        return BitOperations.TrailingZeroCount(levels);
    }

    /// <summary>The stored width of the values of a step, l + 1, or of the high operand, h.</summary>
    /// <param name="step">0 to <see cref="Count"/> - 1.</param>
    internal int WidthOfStep(int step) => step == 0 ? High : LevelOfStep(step) - LevelOfStep(step - 1) + 1;

    /// <summary>The step that reaches a level, which takes that many low operands; 0 for the lowest level.</summary>
    /// <param name="level">Bits of a level.</param>
    internal int StepTo(int level) => Count - 1 - IndexOf(level);

    /// <summary>Parses <c>n:h</c>, for example <c>8:6</c>, or more levels, for example <c>8:6:4</c>.</summary>
    /// <exception cref="FormatException">The text is not integers separated by colons.</exception>
    /// <exception cref="ArgumentException">They are no levels.</exception>
    public static NestedBits Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] parts = text.Split(':');
        var levels = new int[parts.Length];
        bool isNumbers = parts.Length >= 2;
        for (int i = 0; i < parts.Length && isNumbers; i++)
            isNumbers = int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out levels[i]);
        return isNumbers
            ? new NestedBits(levels.AsSpan())
            : throw new FormatException($"'{text}' is no list of bit widths: write n:h, for example 8:6, or more levels, as in 8:6:4");
    }

    /// <inheritdoc/>
    public override string ToString() => Text(Levels);

    private static string Text(IEnumerable<int> levels) =>
        string.Join(':', levels.Select(static bits => bits.ToString(CultureInfo.InvariantCulture)));
}
