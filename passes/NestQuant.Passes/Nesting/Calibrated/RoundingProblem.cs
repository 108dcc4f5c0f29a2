namespace NestQuant.Passes.Nesting.Calibrated;

/// <summary>
/// What rounding the weights of one group of a layer to one level of a nesting needs: M output channels of K weights each, channel after
/// channel. A weight of the rounded model is (integer - zero) * unit * alpha.
/// </summary>
internal sealed record RoundingProblem
{
    /// <summary>[M, K] weights of the source model.</summary>
    public required float[] Weights { get; init; }

    /// <summary>[M, K] the lower of the two integers that each weight may take, at most <see cref="Largest"/>.</summary>
    public required sbyte[] Floors { get; init; }

    /// <summary>The largest integer of the level, 2^(h-1) - 1: the upper of two integers is min(floor + 1, largest).</summary>
    public required int Largest { get; init; }

    /// <summary>[M] weight units per step of the integers: s * 2^(n-h). Positive.</summary>
    public required double[] Units { get; init; }

    /// <summary>[M] zero point in steps: z / 2^(n-h).</summary>
    public required double[] Zeros { get; init; }

    /// <summary>Whether a factor alpha is fitted for each channel, as below full precision; otherwise it is 1.</summary>
    public required bool FitsScale { get; init; }

    /// <summary>M.</summary>
    internal int Channels => Units.Length;
}
