namespace NestQuant.RuntimeOps.Kernels.Execution;

/// <summary>Runs independent parts of a kernel, possibly in parallel.</summary>
internal abstract class ParallelLoop
{
    /// <summary>Calls <paramref name="body"/> for 0 to count - 1, in any order and on any thread, and returns when all are done.</summary>
    /// <param name="count">Number of parts.</param>
    /// <param name="body">Works on one part; its exception is thrown again here.</param>
    public abstract void Run(int count, Action<int> body);
}
