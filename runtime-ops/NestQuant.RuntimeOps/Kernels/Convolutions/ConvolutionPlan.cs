using NestQuant.RuntimeOps.Kernels.Execution;

namespace NestQuant.RuntimeOps.Kernels.Convolutions;

/// <summary>
/// An implementation prepared for one problem: how the work is cut, where chunks start, how much memory is needed. It is used for run after
/// run, by one at a time.
/// </summary>
/// <param name="problem">The problem.</param>
internal abstract class ConvolutionPlan(in ConvolutionProblem problem) : IReusablePlan<ConvolutionProblem>
{
    private readonly ConvolutionProblem _problem = problem;
    private ConvolutionData _data;
    private RowCompletion? _completion;
    private RowEpilogue? _epilogue;
    private IPanelPreparation? _panels;

    /// <summary>What the plan was made for.</summary>
    public ref readonly ConvolutionProblem Problem => ref _problem;

    /// <summary>The name of its implementation (<see cref="Implementation.Name"/>).</summary>
    public string Name { get; set; } = "";

    /// <summary>The plan in short.</summary>
    public PlanNote Note => new(_problem.Tier, Name, _problem.Geometry, _problem.Weights.Level);

    /// <summary>The tensors of the current run.</summary>
    protected ref readonly ConvolutionData Data => ref _data;

    /// <summary>The prepared panels that are kept from run to run at the current precision, or null.</summary>
    protected PanelCache.Entry? Kept { get; private set; }

    /// <inheritdoc/>
    public bool Serves(in ConvolutionProblem run) => _problem.IsLike(run);

    /// <summary>Computes the whole output of one run.</summary>
    /// <param name="data">Activations, factors and output, of the lengths that the geometry gives.</param>
    /// <param name="loop">Runs the parts.</param>
    /// <param name="epilogue">Finishes the output's rows, in plans made with a row stride.</param>
    public void Run(in ConvolutionData data, ParallelLoop loop, RowEpilogue? epilogue)
    {
        _data = data;
        _epilogue = epilogue;
        _completion?.Start();

        // Not for longer than the run: a plan that waits for its precision to return must not hold the panels of it.
        PanelSource weights = _problem.Weights;
        Kept = _panels is null ? null : weights.Cache?.Enter(_panels, weights.Level, weights.Layout.Panels);
        Run(loop);
        Kept = null;
        _epilogue = null;
    }

    /// <summary>Computes the whole output from <see cref="Data"/>.</summary>
    protected abstract void Run(ParallelLoop loop);

    /// <summary>Says how the panels are prepared that runs may keep (<see cref="Kept"/>).</summary>
    protected void KeepPanels(IPanelPreparation panels) => _panels = panels;

    /// <summary>Says into how many parts the output's rows are cut, for <see cref="RowsDone"/>.</summary>
    /// <param name="rowParts">Disjoint groups of rows.</param>
    /// <param name="partsPerRow">Parts that share one group, at least 1.</param>
    protected void CountParts(int rowParts, int partsPerRow) =>
        _completion = _problem.HasRowEpilogue ? new RowCompletion(rowParts, partsPerRow) : null;

    /// <summary>Reports that one of the parts has written its channels of a group of rows: the last one calls the epilogue.</summary>
    protected void RowsDone(int rowPart, int firstRow, int rows)
    {
        if (_epilogue is { } epilogue)
            _completion!.PartDone(rowPart, firstRow, rows, epilogue);
    }
}
