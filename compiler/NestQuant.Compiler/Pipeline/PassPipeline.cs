using System.Diagnostics;
using Microsoft.Extensions.Logging;
using NestQuant.Onnx;
using NestQuant.Onnx.Validation;

namespace NestQuant.Compiler.Pipeline;

/// <summary>Passes in the order in which they run.</summary>
public sealed partial class PassPipeline
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

    /// <summary>Inserts a pass before the first one of a type.</summary>
    /// <typeparam name="TPass">Type of the pass to insert before.</typeparam>
    /// <returns>This pipeline, so that calls chain.</returns>
    /// <exception cref="ArgumentException">The pipeline has no pass of that type.</exception>
    public PassPipeline InsertBefore<TPass>(IGraphPass pass)
        where TPass : IGraphPass
    {
        ArgumentNullException.ThrowIfNull(pass);
        _passes.Insert(PositionsOf<TPass>()[0], pass);
        return this;
    }

    /// <summary>Inserts a pass after the last one of a type.</summary>
    /// <typeparam name="TPass">Type of the pass to insert after.</typeparam>
    /// <returns>This pipeline, so that calls chain.</returns>
    /// <exception cref="ArgumentException">The pipeline has no pass of that type.</exception>
    public PassPipeline InsertAfter<TPass>(IGraphPass pass)
        where TPass : IGraphPass
    {
        ArgumentNullException.ThrowIfNull(pass);
        _passes.Insert(PositionsOf<TPass>()[^1] + 1, pass);
        return this;
    }

    /// <summary>Replaces every pass of a type by another pass.</summary>
    /// <typeparam name="TPass">Type of the passes to remove.</typeparam>
    /// <returns>This pipeline, so that calls chain.</returns>
    /// <exception cref="ArgumentException">The pipeline has no pass of that type.</exception>
    public PassPipeline Replace<TPass>(IGraphPass pass)
        where TPass : IGraphPass
    {
        ArgumentNullException.ThrowIfNull(pass);
        foreach (int position in PositionsOf<TPass>()) _passes[position] = pass;
        return this;
    }

    /// <summary>Removes every pass of a type.</summary>
    /// <typeparam name="TPass">Type of the passes to remove.</typeparam>
    /// <returns>This pipeline, so that calls chain.</returns>
    /// <exception cref="ArgumentException">The pipeline has no pass of that type.</exception>
    public PassPipeline Remove<TPass>()
        where TPass : IGraphPass
    {
        foreach (int position in PositionsOf<TPass>().Reverse()) _passes.RemoveAt(position);
        return this;
    }

    /// <summary>Runs every pass once.</summary>
    /// <returns>Whether any pass changed the model. A second run returns "unchanged".</returns>
    /// <exception cref="ModelException">A pass cannot rewrite the model.</exception>
    /// <exception cref="PassException">A pass left an invalid model; only where <see cref="ModelContext.VerifyEachPass"/> is
    /// set.</exception>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        bool changed = false;
        for (int i = 0; i < _passes.Count; i++)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            changed |= Run(i, context).Changed;
        }

        return new PassResult(changed);
    }

    private PassResult Run(int position, ModelContext context)
    {
        IGraphPass pass = _passes[position];
        LogStart(context.Logger, pass.Name);
        context.Progress?.Report(new PassProgress(pass.Name, Done: 0, Total: 0));
        long start = Stopwatch.GetTimestamp();
        PassResult result = pass.Run(context);
        TimeSpan duration = Stopwatch.GetElapsedTime(start);
        LogEnd(context.Logger, pass.Name, result.Changed ? "changed" : "unchanged", duration.TotalMilliseconds);
        context.Progress?.Report(new PassProgress(pass.Name, Done: 0, Total: 0, duration));
        if (!context.VerifyEachPass) return result;
        try
        {
            ModelValidation.Verify(context.Model);
        }
        catch (ModelException failure)
        {
            throw new PassException(pass.Name, [.. _passes.Take(position).Select(static before => before.Name)], failure);
        }

        return result;
    }

    private int[] PositionsOf<TPass>()
        where TPass : IGraphPass
    {
        int[] positions = [.. Enumerable.Range(0, _passes.Count).Where(i => _passes[i] is TPass)];
        return positions.Length > 0
            ? positions
            : throw new ArgumentException(
                $"the pipeline has no {typeof(TPass).Name}; its passes are {string.Join(", ", _passes.Select(static pass => pass.Name))}");
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Pass}: started")]
    private static partial void LogStart(ILogger logger, string pass);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Pass}: {Outcome} in {Milliseconds:F1} ms")]
    private static partial void LogEnd(ILogger logger, string pass, string outcome, double milliseconds);
}
