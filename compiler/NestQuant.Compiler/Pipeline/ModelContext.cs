using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using NestQuant.Onnx;

namespace NestQuant.Compiler.Pipeline;

/// <summary>The input of a pass: the model, the decision log, and how it may use the machine.</summary>
public sealed class ModelContext
{
    /// <summary>Creates a context.</summary>
    /// <param name="model">The model, rewritten in place by the passes.</param>
    /// <exception cref="ArgumentNullException"><paramref name="model"/> is null.</exception>
    public ModelContext(ModelProto model)
    {
        ArgumentNullException.ThrowIfNull(model);
        Model = model;
    }

    /// <summary>The model.</summary>
    public ModelProto Model { get; }

    /// <summary>Where passes record what they did with every candidate.</summary>
    public DecisionLog Decisions { get; } = new();

    /// <summary>Most threads that a pass may use, at least 1. The result does not depend on it.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Receives the start and the end of every pass, and the progress of long ones; may be null.</summary>
    public IProgress<PassProgress>? Progress { get; init; }

    /// <summary>Logs the start of every pass (debug) and its end (information, with the duration).</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>
    /// Whether the model is verified after every pass, so that a defect is attributed to the pass that has it; true in debug builds.
    /// </summary>
    public bool VerifyEachPass { get; init; } = VerifiesByDefault;

    /// <summary>What passes found out for later ones of the same run, one object per type.</summary>
    private readonly Dictionary<Type, object> _findings = [];

    /// <summary>Leaves an object for later passes of the same run.</summary>
    internal void Leave<T>(T finding)
        where T : class => _findings[typeof(T)] = finding;

    /// <summary>What an earlier pass of the same run has left; null for nothing.</summary>
    internal T? Find<T>()
        where T : class => (T?)_findings.GetValueOrDefault(typeof(T));

    /// <summary>Ends a long pass early.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>Default of <see cref="VerifyEachPass"/>: whether this is a debug build.</summary>
#if DEBUG
    public static bool VerifiesByDefault => true;
#else
    public static bool VerifiesByDefault => false;
#endif
}

/// <summary>Progress of a pass.</summary>
/// <param name="Pass">Name of the pass.</param>
/// <param name="Done">Units of work done.</param>
/// <param name="Total">Units of work in all; 0 when the pass starts and when it ends.</param>
/// <param name="Duration">How long the pass took; null until it ends.</param>
public readonly record struct PassProgress(string Pass, long Done, long Total, TimeSpan? Duration = null);
