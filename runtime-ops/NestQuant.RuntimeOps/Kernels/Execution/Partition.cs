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

    /// <summary>Parts with which threads can end at about the same time where each of them repeats some work.</summary>
    /// <param name="threads">Threads of the session, 1 or more.</param>
    public static int FewParts(int threads) => threads == 1 ? 1 : Math.Min(2 * threads, MostParts);

    /// <summary>
    /// Cuts equal units of work into parts of the same size, the last one perhaps smaller, so that threads end at about the same time.
    /// </summary>
    /// <param name="units">Units, at least 1.</param>
    /// <param name="leastParts">The least number of parts, if there are as many units.</param>
    /// <param name="threads">Threads of the session, 1 or more.</param>
    /// <returns>Units of a part: the most with which the last thread ends 3 % too late, or else as early as possible.</returns>
    public static int UnitsPerPart(int units, int leastParts, int threads)
    {
        int best = 0, earliest = int.MaxValue;
        int ideal = (units - 1) / threads + 1;
        for (int parts = Math.Min(leastParts, units); parts <= Math.Min(units, leastParts + MostParts); parts++)
        {
            int size = (units - 1) / parts + 1, end = End(units, size, threads);
            if (end >= earliest)
                continue;
            (best, earliest) = (size, end);
            if (end <= ideal * 1.03)
                break;
        }

        return best;
    }

    /// <summary>When the last thread ends if each takes the next part whenever it has done one.</summary>
    private static int End(int units, int size, int threads)
    {
        (int rounds, int more) = Math.DivRem((units - 1) / size, threads);
        return more > 0 ? (rounds + 1) * size : rounds * size + ((units - 1) % size) + 1;
    }
}
