namespace NestQuant.Compiler.Reports;

/// <summary>What nesting is estimated to do to the time of a run on one thread: estimated from shapes, not measured.</summary>
/// <param name="Float">Microseconds of all estimated layers in ONNX Runtime's float operators.</param>
/// <param name="Nested">Microseconds of the same layers nested.</param>
/// <param name="Slower">The layers that take longer nested, the greatest loss first.</param>
public sealed record TimeEstimate(double Float, double Nested, IReadOnlyList<LayerTime> Slower)
{
    /// <summary>Whether the layers together take clearly longer nested.</summary>
    public bool IsSlower => Nested > 1.05 * Float;
}

/// <summary>The estimated time of one layer.</summary>
/// <param name="Node">Its node in the source model.</param>
/// <param name="Float">Microseconds in ONNX Runtime's float operator.</param>
/// <param name="Nested">Microseconds nested.</param>
public sealed record LayerTime(string Node, double Float, double Nested);
