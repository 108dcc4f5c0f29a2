using System.Globalization;
using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>Decides between full and part precision of one weight for a run.</summary>
/// <remarks>
/// A run at b bits uses every weight at <see cref="NestedBits.LevelAt"/> b, so that one value serves a model whose weights have different
/// pairs. b is the <c>bits</c> input, or <see cref="NestQuantOps.BitsConfigEntry"/> where the session sets that and it is lower.
/// </remarks>
internal sealed class PrecisionSelector
{
    private const int LeastBits = 1;

    private readonly NestedBits _bits;
    private readonly int _limit = int.MaxValue;

    /// <summary>Reads the session's limit.</summary>
    /// <param name="bits">The pair n:h.</param>
    /// <param name="configured">The session configuration entry, or null.</param>
    /// <exception cref="OperatorException">The entry is not an integer of at least 1.</exception>
    public PrecisionSelector(NestedBits bits, string? configured)
    {
        _bits = bits;
        if (configured is null)
            return;
        if (!int.TryParse(configured, NumberStyles.None, CultureInfo.InvariantCulture, out _limit) || _limit < LeastBits)
            throw NotAllowed(SessionEntries.Bits, $"'{configured}'");
    }

    /// <summary>Whether a run uses part precision.</summary>
    /// <param name="fed">The value of the <c>bits</c> input.</param>
    /// <param name="hasLow">Whether the node has its low operand.</param>
    /// <exception cref="OperatorException">The value is below 1, or asks for full precision and the low operand is missing.</exception>
    public bool IsPart(int fed, bool hasLow)
    {
        if (fed < LeastBits)
            throw NotAllowed("nest_bits", fed.ToString(CultureInfo.InvariantCulture));
        int precision = Math.Min(fed, _limit);
        bool isPart = _bits.LevelAt(precision) == _bits.High;
        if (!isPart && !hasLow)
            throw new OperatorException(string.Create(
                CultureInfo.InvariantCulture,
                $"nest_bits is {precision} but the low operand W_low is missing: this model can run only below {_bits.Full} bits (part)"));
        return isPart;
    }

    private OperatorException NotAllowed(string what, string value) =>
        new(
            Invariant(
                $"{what} is {value}: an integer of at least {LeastBits} expected, here {_bits.High} for part and {_bits.Full} for full"));
}
