namespace NestQuant.Passes.Nesting.Calibrated;

/// <summary>Weights v = (integer - zero) * unit * alpha for a <see cref="RoundingProblem"/>, and how far they are from w*.</summary>
internal sealed record RoundingResult
{
    /// <summary>[M, K] the integers.</summary>
    public required sbyte[] Integers { get; init; }

    /// <summary>[M] alpha.</summary>
    public required double[] ScaleFactors { get; init; }

    /// <summary>[M] (v - w*) C (v - w*)^T.</summary>
    public required double[] Errors { get; init; }

    /// <summary>[M] w* C w*^T.</summary>
    public required double[] Signals { get; init; }

    /// <summary>A result with room for some channels.</summary>
    internal static RoundingResult For(int channels, int length) => new()
    {
        Integers = new sbyte[checked(channels * length)],
        ScaleFactors = new double[channels],
        Errors = new double[channels],
        Signals = new double[channels],
    };
}
