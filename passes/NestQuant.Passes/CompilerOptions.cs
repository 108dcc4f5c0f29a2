using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using NestQuant.Compiler.Pipeline;
using NestQuant.Passes.Nesting;

namespace NestQuant.Passes;

/// <summary>Options of a whole compilation; the defaults are those of the command line.</summary>
public sealed record CompilerOptions
{
    /// <summary>Which weights are nested, and how; by default none.</summary>
    public WeightOptions Weights { get; init; } = new();

    /// <summary>How activations reach nested weights.</summary>
    public ActivationOptions Activations { get; init; } = new();

    /// <summary>What happens to GroupNL blocks, and to convolutions that may become some.</summary>
    public GroupNLOptions GroupNL { get; init; } = new();

    /// <summary>How a result is tried before it is saved.</summary>
    public CheckOptions Check { get; init; } = new();

    /// <summary>SHA-256 of the source file in lower-case hexadecimal, for the provenance; null when the source is not a file.</summary>
    public string? SourceSha256 { get; init; }

    /// <summary>Most threads to use; null for one per processor. The result does not depend on it.</summary>
    public int? Threads { get; init; }

    /// <summary>Whether the model is verified after every pass; by default in debug builds of the compiler only.</summary>
    public bool VerifyEachPass { get; init; } = ModelContext.VerifiesByDefault;

    /// <summary>Told when every pass starts (debug) and ends (information, with the duration).</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>Told when every pass starts and ends, and how far the long ones have come; null when nobody listens.</summary>
    public IProgress<PassProgress>? Progress { get; init; }

    /// <summary>Fails where options contradict each other, whatever the model.</summary>
    /// <exception cref="ArgumentException">They do; the message names the options.</exception>
    public void Verify()
    {
        Weights.Verify();
        if (Weights.Nests) Weights.VerifyData();
        if (Weights.Nests && Activations is { Mode: ActivationMode.Static, Ranges: null })
            throw new ArgumentException(
                "Activations: static activations need ranges: say where they come from (Ranges), or quantize at run time "
                    + "(ActivationMode.Dynamic)");
        if (Threads < 1) throw new ArgumentException($"Threads is {Threads}: at least 1 is needed");
    }
}
