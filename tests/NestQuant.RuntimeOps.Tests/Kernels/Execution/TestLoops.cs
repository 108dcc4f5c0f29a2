using NestQuant.RuntimeOps.Kernels.Execution;

namespace NestQuant.RuntimeOps.Tests.Kernels.Execution;

/// <summary>Runs the parts of a kernel one after the other, last first: a kernel may not rely on their order.</summary>
internal sealed class BackwardLoop : ParallelLoop
{
    public override void Run(int count, Action<int> body)
    {
        for (int i = count - 1; i >= 0; i--)
            body(i);
    }
}

/// <summary>Runs the parts of a kernel on several threads.</summary>
internal sealed class ThreadedLoop(int threads) : ParallelLoop
{
    public override void Run(int count, Action<int> body) =>
        Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = threads }, body);
}
