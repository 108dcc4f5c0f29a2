namespace NestQuant.RuntimeOps.Operators;

/// <summary>
/// Collects the nested weights of a session while it is made: ONNX Runtime creates all kernels on the thread that makes it.
/// </summary>
internal sealed class WeightCollector : IDisposable
{
    [ThreadStatic]
    private static WeightCollector? s_current;

    private readonly WeightCollector? _outer = s_current;
    private readonly List<NestedWeight> _weights = [];

    /// <summary>Collects what this thread creates until <see cref="Dispose"/>.</summary>
    public WeightCollector() => s_current = this;

    /// <summary>The weights so far, those of nodes that ONNX Runtime folded among them.</summary>
    public IReadOnlyList<NestedWeight> Weights => _weights;

    /// <summary>Adds a weight to this thread's collector, if there is one.</summary>
    public static void Add(NestedWeight weight) => s_current?._weights.Add(weight);

    /// <inheritdoc/>
    public void Dispose() => s_current = _outer;
}
