using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using NestQuant.Compiler.Pipeline;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.OperatorSets;

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

    /// <summary>
    /// Version of ONNX's operator set to upgrade the model to, from <see cref="OperatorSetUpgradePass.Oldest"/> to
    /// <see cref="OperatorSetUpgradePass.Newest"/> and not below the model's own. Null upgrades to the newest where weights are nested or
    /// convolutions expanded, and the model's own is below <see cref="OperatorSetUpgradePass.Sufficient"/>.
    /// </summary>
    public int? OperatorSet { get; init; }

    /// <summary>
    /// Whether initializers that are also graph inputs stay inputs where all initializers are, which old exporters did without meaning
    /// that a caller may replace them. Where only some are, they do in any case.
    /// </summary>
    public bool KeepOverridable { get; init; }

    /// <summary>Patterns of the names of initializers that are constants although they are graph inputs too.</summary>
    public IReadOnlyList<string> ConstantInputs { get; init; } = [];

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
        if (OperatorSet is < OperatorSetUpgradePass.Oldest or > OperatorSetUpgradePass.Newest)
            throw new ArgumentException(
                $"OperatorSet is {OperatorSet}: {OperatorSetUpgradePass.Oldest} to {OperatorSetUpgradePass.Newest} are possible");
        if (Threads < 1) throw new ArgumentException($"Threads is {Threads}: at least 1 is needed");
    }
}
