namespace NestQuant.Passes.LinearAlgebra;

/// <summary>Independent tasks whose results do not depend on which thread runs them.</summary>
internal static class FixedOrderParallel
{
    /// <summary>Runs tasks 0 to count - 1; on the calling thread where there is only one, or only one thread is allowed.</summary>
    public static void For(int count, ParallelOptions parallel, Action<int> task)
    {
        if (count == 1 || parallel.MaxDegreeOfParallelism == 1)
        {
            for (int i = 0; i < count; i++) task(i);
        }
        else
        {
            Parallel.For(0, count, parallel, task);
        }
    }
}
