using System.Globalization;
using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>Decides the level of one weight for a run.</summary>
/// <remarks>
/// A run at b bits uses every weight at <see cref="NestedBits.LevelAt"/> b, so that one value serves a model whose weights have different
/// levels. b is the <c>bits</c> input, or <see cref="NestQuantOps.BitsConfigEntry"/> where the session sets that and it is lower.
/// </remarks>
internal sealed class PrecisionSelector
{
    private const int LeastBits = 1;

    private readonly NestedBits _bits;
    private readonly int _limit = int.MaxValue;

    /// <summary>Reads the session's limit.</summary>
    /// <param name="bits">The weight's levels.</param>
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

    /// <summary>The level of a run.</summary>
    /// <param name="fed">The value of the <c>bits</c> input.</param>
    /// <param name="operands">The operands that the node has, from the high one to the last before one that is missing.</param>
    /// <exception cref="OperatorException">The value is below 1, or the level needs an operand that is missing.</exception>
    public int LevelAt(int fed, int operands)
    {
        if (fed < LeastBits)
            throw NotAllowed("nest_bits", fed.ToString(CultureInfo.InvariantCulture));
        int precision = Math.Min(fed, _limit);
        int level = _bits.LevelAt(precision);
        if (_bits.StepTo(level) >= operands)
        {
            string missing = InputNames.WeightStep(operands);
            int most = _bits.LevelOfStep(operands - 1);
            throw new OperatorException(Invariant(
                $"nest_bits is {precision} but the low operand {missing} is missing: without it this weight has at most {most} bits"));
        }

        return level;
    }

    private OperatorException NotAllowed(string what, string value) =>
        new(Invariant($"{what} is {value}: an integer of at least {LeastBits} expected, here the weight has the levels {_bits}"));
}
