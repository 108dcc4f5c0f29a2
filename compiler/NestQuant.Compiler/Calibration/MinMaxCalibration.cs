namespace NestQuant.Compiler.Calibration;

/// <summary>The smallest and the largest value: nothing is clipped.</summary>
public sealed record MinMaxCalibration : CalibrationMethod
{
    private protected override TensorRange Choose(ActivationStatistics statistics) => new(statistics.Min, statistics.Max);

    /// <inheritdoc/>
    public override string ToString() => "minmax";
}
