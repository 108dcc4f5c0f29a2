using NestQuant.Compiler.Pipeline;
using NestQuant.Compiler.Reports;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Files.Transactions;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Sessions;

namespace NestQuant.Passes;

/// <summary>A compiled model and what was decided on the way.</summary>
/// <param name="Model">
/// The model; its packed operands are in the external groups "high" and "low", or "low.b" for each step to b bits where a weight has more
/// than two levels.
/// </param>
/// <param name="Decisions">What every pass did with every candidate.</param>
public sealed record CompileResult(ModelProto Model, DecisionLog Decisions)
{
    /// <summary>How the result is tried before it is saved.</summary>
    public CheckOptions Check { get; init; } = new();

    /// <summary>What nesting is estimated to do to the time of a run; null where no weight was nested, or shapes are
    /// not known.</summary>
    public TimeEstimate? Times { get; init; }

    /// <summary>
    /// The same graph without the low operands and the decision log, at the lowest precision; null when nothing was nested.
    /// </summary>
    public ModelProto? CreatePartModel() => PartModel.From(Model) is { } part ? Provenance.WithoutDecisions(part) : null;

    /// <summary>The weights that stay float, and why.</summary>
    public FloatWeights FindFloatWeights() => FloatWeightSearch.Find(Model, Decisions);

    /// <summary>The part model of a precision above the lowest.</summary>
    internal ModelProto CreatePartModel(int precision) => Provenance.WithoutDecisions(PartModel.From(Model, precision));

    /// <summary>
    /// Saves the model as <c>X.onnx</c> and, when weights are nested, beside it <c>X.high.bin</c>, <c>X.low.bin</c>,
    /// <c>X.part.onnx</c>, the model for devices without the low file, and <c>X.data.bin</c>, what both models share besides. Where a
    /// weight has more than two levels, there is a low file
    /// <c>X.low.b.bin</c> for every b bits that a step reaches, and a part model <c>X.part.b.onnx</c> for every precision between the
    /// lowest and the highest, which needs those up to b. Either all files appear or none does.
    /// </summary>
    /// <param name="path">Path of the model to write, in a folder that is created when missing.</param>
    /// <param name="cancellation">Ends the work early; no file appears.</param>
    /// <returns>The files, data files first.</returns>
    /// <exception cref="ModelException">The model cannot be written there, or ONNX Runtime does not load it (see
    /// <see cref="Check"/>).</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public IReadOnlyList<SavedFile> Save(string path, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        using var transaction = new FileTransaction();
        transaction.Reads.AddData(Model, exceptOf: path);
        SavedModels saved = SavedModels.Write(this, path, transaction, cancellation);
        if (Check.LoadResult) LoadCheck.Require(saved.Staged, Check.CustomOps);
        transaction.Commit();
        return saved.Files;
    }
}
