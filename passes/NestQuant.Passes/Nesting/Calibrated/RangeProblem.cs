namespace NestQuant.Passes.Nesting.Calibrated;

/// <summary>
/// What the search of the weights' ranges needs of one group of a layer: M output channels of K weights each, quantized to
/// clamp(round(w / unit + zero)) and then nested.
/// </summary>
internal sealed record RangeProblem
{
    /// <summary>[M, K] weights of the source model.</summary>
    public required float[] Weights { get; init; }

    /// <summary>[M] weight units per integer step where the range holds all weights. Positive.</summary>
    public required double[] Units { get; init; }

    /// <summary>[M] zero point where the range holds all weights; 0 for a symmetric range.</summary>
    public required double[] Zeros { get; init; }

    /// <summary>n, the bits of full precision.</summary>
    public required int Bits { get; init; }

    /// <summary>Whether full precision gets a bias that makes up for the mean error of its outputs, as levels below it do.</summary>
    public required bool CorrectsMean { get; init; }

    /// <summary>h of each level below full precision.</summary>
    public required IReadOnlyList<int> Levels { get; init; }
}
