using System.Runtime.ExceptionServices;
using NestQuant.Onnx;

namespace NestQuant.Passes.Calibration;

/// <summary>Runs of a model on several threads, whose failure is that of the first run that failed.</summary>
internal static class ParallelRuns
{
    /// <summary>Calls an action for the numbers below a count.</summary>
    /// <exception cref="ModelException">A call failed with it.</exception>
    public static void For(int count, ParallelOptions options, Action<int> run) => Unwrapped(() => Parallel.For(0, count, options, run));

    /// <summary>Calls an action that itself uses several threads.</summary>
    /// <exception cref="ModelException">One of its threads failed with it.</exception>
    public static void Unwrapped(Action run)
    {
        try
        {
            run();
        }
        catch (AggregateException e) when (e.InnerExceptions.OfType<ModelException>().FirstOrDefault() is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }
}
