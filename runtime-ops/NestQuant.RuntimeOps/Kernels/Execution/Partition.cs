namespace NestQuant.RuntimeOps.Kernels.Execution;

/// <summary>How finely work is cut.</summary>
internal static class Partition
{
    private const int PartsPerThread = 4;
    private const int MostParts = 64;

    /// <summary>
    /// Parts to aim for: several for each thread, so that one that is held up delays the end little; more would only repeat what every part
    /// does first.
    /// </summary>
    /// <param name="threads">Threads of the session, 1 or more.</param>
    public static int WantedParts(int threads) => threads == 1 ? 1 : Math.Min(PartsPerThread * threads, MostParts);
}
