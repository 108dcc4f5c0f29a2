namespace NestQuant.Passes.Nesting;

/// <summary>
/// Chooses the bits of part precision weight by weight, from h of <see cref="WeightOptions.Bits"/> up to n - 1, by what each weight's
/// layer loses on the calibration data. Weights whose bits a rule gives keep them. Either bound, or both.
/// </summary>
/// <remarks>
/// Starting with h for all, the step that lowers the sum of the layers' relative squared output errors most per byte is taken, until a
/// bound is reached. Errors are those of one layer rounded alone; how they add up in the model's outputs is not known.
/// </remarks>
public sealed record BitBudget
{
    /// <summary>Most bytes of all high operands together; null for any number.</summary>
    public long? Bytes { get; init; }

    /// <summary>
    /// The signal to noise ratio to reach, in dB: -10 log10 of the sum of the layers' relative squared output errors; null for any.
    /// </summary>
    public double? Decibels { get; init; }

    /// <summary>Fails where there is no bound.</summary>
    /// <exception cref="ArgumentException">There is none, or one is impossible.</exception>
    internal void Verify()
    {
        if (Bytes is null && Decibels is null) throw new ArgumentException("Weights: a Budget needs Bytes or Decibels");
        if (Bytes < 1) throw new ArgumentException($"Weights: a Budget of {Bytes} bytes holds nothing");
        if (Decibels is { } decibels && !double.IsFinite(decibels))
            throw new ArgumentException("Weights: the Decibels of a Budget are not finite");
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join(
        " ",
        ((string?[])[
            Bytes is { } bytes ? FormattableString.Invariant($"{bytes} bytes") : null,
            Decibels is { } decibels ? FormattableString.Invariant($"{decibels} dB") : null,
        ]).OfType<string>());
}
