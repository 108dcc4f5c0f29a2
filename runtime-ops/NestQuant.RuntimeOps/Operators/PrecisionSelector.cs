using System.Globalization;
using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>Decides between full and part precision for a run.</summary>
/// <remarks>
/// The <c>bits</c> input is n (full) or h (part). A compiled model's default is n, so a fed n cannot be told from the default:
/// where the session sets <see cref="SessionEntries.Bits"/>, its value takes the place of n. A fed h always means part.
/// </remarks>
internal sealed class PrecisionSelector
{
    private readonly NestedBits _bits;
    private readonly int _insteadOfFull;

    /// <summary>Reads the session's override.</summary>
    /// <param name="bits">The pair n:h.</param>
    /// <param name="configured">The session configuration entry, or null.</param>
    /// <exception cref="OperatorException">The entry is neither n nor h.</exception>
    public PrecisionSelector(NestedBits bits, string? configured)
    {
        _bits = bits;
        _insteadOfFull = bits.Full;
        if (configured is null)
            return;
        if (!int.TryParse(configured, NumberStyles.None, CultureInfo.InvariantCulture, out _insteadOfFull) || !IsAllowed(_insteadOfFull))
            throw NotAllowed(SessionEntries.Bits, $"'{configured}'");
    }

    /// <summary>Whether a run uses part precision.</summary>
    /// <param name="fed">The value of the <c>bits</c> input.</param>
    /// <param name="hasLow">Whether the node has its low operand.</param>
    /// <exception cref="OperatorException">The value is neither n nor h, or is n and the low operand is missing.</exception>
    public bool IsPart(int fed, bool hasLow)
    {
        if (!IsAllowed(fed))
            throw NotAllowed("nest_bits", fed.ToString(CultureInfo.InvariantCulture));
        int selected = fed == _bits.Full ? _insteadOfFull : fed;
        if (selected == _bits.Full && !hasLow)
            throw new OperatorException(
                Invariant(
                    $"nest_bits is {_bits.Full} but the low operand W_low is missing: this model can run only {_bits.High} bits (part)"));
        return selected == _bits.High;
    }

    private bool IsAllowed(int value) => value == _bits.Full || value == _bits.High;

    private OperatorException NotAllowed(string what, string value) =>
        new(Invariant($"{what} is {value}: allowed are {_bits.High} (part) and {_bits.Full} (full)"));
}
