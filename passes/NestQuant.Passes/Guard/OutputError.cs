namespace NestQuant.Passes.Guard;

/// <summary>The errors of one output over some samples.</summary>
/// <param name="Signal">Energy of the float model's output.</param>
/// <param name="Noise">Energy of the difference from it.</param>
/// <param name="Added">Energy of the difference from the output with float activations and nested weights.</param>
internal readonly record struct OutputError(double Signal, double Noise, double Added)
{
    /// <summary>Signal to noise ratio in dB; infinite where there is no noise.</summary>
    public double Decibels => 10 * Math.Log10(Signal / Noise);

    /// <summary>Adds the errors of other samples.</summary>
    public static OutputError operator +(OutputError a, OutputError b) => new(a.Signal + b.Signal, a.Noise + b.Noise, a.Added + b.Added);
}
