using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Onnx.Validation;

namespace NestQuant.Passes.OperatorSets;

/// <summary>
/// Writes a model of an older version of ONNX's operator set in a newer one, in which every node computes the same, bit for bit.
/// <code>
/// opset 9:  y = Clip &lt;min = 0, max = 6&gt; (x)
/// opset 21: y = Clip (x, min, max)             with initializers min and max
/// </code>
/// </summary>
/// <remarks>
/// <para>Nesting needs 12 (integer activations 11, integer MaxPool 12), export 13 (scales per channel): models below 13 are upgraded to
/// <see cref="Newest"/>. What a version changed is in one table; nodes go through it version by version, in the main graph, in subgraphs
/// and in local functions. A node that cannot be written in a version with the same results ends the upgrade in the version before. The
/// log has one decision about the whole model.</para>
/// <para>Names of values stay. ONNX Runtime runs local functions in the model's version whatever they import, so a model with functions of
/// another version is kept: what it means and what it computes differ.</para>
/// </remarks>
public sealed class OperatorSetUpgradePass : IGraphPass
{
    /// <summary>Models of this version or a later one are not upgraded unless that is asked for.</summary>
    public const int Sufficient = 13;

    /// <summary>Oldest version that can be upgraded.</summary>
    public const int Oldest = OperatorSetChanges.Oldest;

    /// <summary>Newest version to upgrade to.</summary>
    public const int Newest = OperatorSetChanges.Newest;

    private static readonly Dictionary<(string Operator, int Version), UpgradeRule> Rules =
        OperatorSetChanges.All.ToDictionary(static change => (change.Operator, change.Version), static change => change.Rule);

    private readonly int? _version;

    /// <summary>Creates the pass.</summary>
    /// <param name="version">The version to upgrade to; null for <see cref="Newest"/> where the model's is not
    /// <see cref="Sufficient"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The version is older than <see cref="Oldest"/> or newer than
    /// <see cref="Newest"/>.</exception>
    public OperatorSetUpgradePass(int? version = null)
    {
        if (version is { } given)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(given, Oldest, nameof(version));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(given, Newest, nameof(version));
        }

        _version = version;
    }

    /// <inheritdoc/>
    public string Name => "operator-set";

    /// <inheritdoc/>
    /// <exception cref="ModelException">The model's version is newer than the one asked for.</exception>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        ModelProto model = context.Model;
        long version = model.OpsetVersion();
        if (version > _version)
            throw new ModelException(
                $"the model imports operator set {version}, and {_version} is asked for: models are only upgraded, ask for {version} or "
                    + "a later one");
        int target = _version ?? Newest;
        if (version == target || (_version is null && version >= Sufficient)) return PassResult.Unchanged;

        (int reached, string? reason) = WhyNone(model, version) is { } none
            ? ((int)version, none)
            : new OperatorSetUpgrade(model, Rules).Run((int)version, target);
        Log(context, (int)version, reached, reason is null ? null : $"not upgraded to operator set {target}: {reason}");
        return new PassResult(reached > version);
    }

    private static string? WhyNone(ModelProto model, long version)
    {
        if (version < Oldest) return $"it imports operator set {version}, older than {Oldest}, which ONNX Runtime does not run";
        if (model.TrainingInfo.Count > 0) return "it has training graphs";
        if (model.AllNodes().FirstOrDefault(node => IsLater(node, version)) is { } later)
            return $"{later.OpType} '{later.DisplayName()}' is no operator of operator set {version}";
        return model.Functions.Find(function => (function.OpsetImport.DefaultVersion() ?? version) != version) is { } other
            ? $"function '{other.Name}' imports operator set {other.OpsetImport.DefaultVersion()}, and the model {version}"
            : null;
    }

    private static bool IsLater(NodeProto node, long version) =>
        OperatorSignatures.Of(node, version) is null && OperatorSignatures.Of(node, Newest) is not null;

    private void Log(ModelContext context, int version, int reached, string? reason)
    {
        if (reached == version)
            context.Decisions.Kept(Name, context.Model.MainGraph().Name, Decision.WholeModel, reason!);
        else
            context.Decisions.Rewritten(
                Name, context.Model.MainGraph().Name, Decision.WholeModel, note: $"operator set {version} -> {reached}", warning: reason);
    }
}
