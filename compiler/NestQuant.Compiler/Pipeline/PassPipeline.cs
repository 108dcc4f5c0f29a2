namespace NestQuant.Compiler.Pipeline;

/// <summary>Passes in the order in which they run.</summary>
public sealed class PassPipeline
{
    private readonly List<IGraphPass> _passes = [];

    /// <summary>The passes, first to last.</summary>
    public IReadOnlyList<IGraphPass> Passes => _passes;

    /// <summary>Appends a pass.</summary>
    /// <returns>This pipeline, so that calls chain.</returns>
    public PassPipeline Use(IGraphPass pass)
    {
        ArgumentNullException.ThrowIfNull(pass);
        _passes.Add(pass);
        return this;
    }

    /// <summary>Runs every pass once.</summary>
    /// <returns>Whether any pass changed the model. A second run returns "unchanged".</returns>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        bool changed = false;
        foreach (IGraphPass pass in _passes)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            changed |= pass.Run(context).Changed;
        }

        return new PassResult(changed);
    }
}
