using Microsoft.ML.OnnxRuntime;
using NestQuant.Data;
using NestQuant.Passes.Nesting;

namespace NestQuant.Evaluation.Benchmarking;

/// <summary>A model at one precision, with a session and inputs of its own: runs of others do not switch its precision.</summary>
internal sealed class Contender : IDisposable
{
    private readonly ModelSession _session;
    private readonly PreparedRun _run;
    private readonly List<TimeSpan> _runs = [];

    private Contender(ModelSession session, int? bits, PreparedRun run)
    {
        _session = session;
        Bits = bits;
        _run = run;
    }

    /// <summary>Path of the model.</summary>
    public string Model => _session.Path;

    /// <summary>The precision; null for a model without nested weights.</summary>
    public int? Bits { get; }

    /// <summary>What making the session took.</summary>
    public TimeSpan LoadTime => _session.LoadTime;

    /// <summary>The counted runs.</summary>
    public Latency Latency => Latency.Of(_runs);

    /// <summary>Makes a session and hands it its inputs.</summary>
    /// <exception cref="Onnx.ModelException">The inputs do not fit, or the model has no such precision.</exception>
    /// <exception cref="OnnxRuntimeException">ONNX Runtime refuses the model.</exception>
    public static Contender Open(
        string model, NestedPrecisions? precisions, int? bits, IReadOnlyList<NamedArray> inputs, BenchOptions options)
    {
        ModelSession session = options.OpenSession(model, precisions);
        try
        {
            return new Contender(session, bits, session.Prepare(inputs, bits));
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Runs once.</summary>
    /// <exception cref="OnnxRuntimeException">The run failed.</exception>
    public TimeSpan Run() => _run.Time();

    /// <summary>Runs once and counts the run.</summary>
    public void CountedRun() => _runs.Add(Run());

    /// <inheritdoc/>
    public void Dispose()
    {
        _run.Dispose();
        _session.Dispose();
    }
}
