namespace NestQuant.Compiler.Calibration;

/// <summary>
/// Counts of consecutive bins in the form of files, which takes memory for the non-empty bins only.
/// </summary>
/// <param name="FirstBin">Number of the first bin listed.</param>
/// <param name="Runs">Counts from there on, where a negative number -k means k empty bins.</param>
internal sealed record PackedBins(int FirstBin, long[] Runs)
{
    /// <summary>Packs the counts of all bins, from the first to the last non-empty one.</summary>
    public static PackedBins Of(ReadOnlySpan<long> counts)
    {
        int first = counts.IndexOfAnyExcept(0), last = counts.LastIndexOfAnyExcept(0);
        if (first < 0)
            return new PackedBins(0, []);
        var runs = new List<long>();
        int empty = 0;
        foreach (long count in counts[first..(last + 1)])
        {
            if (count == 0)
            {
                empty++;
                continue;
            }

            if (empty > 0)
                runs.Add(-empty);
            empty = 0;
            runs.Add(count);
        }

        return new PackedBins(first - ActivationHistogram.HalfBins, [.. runs]);
    }

    /// <summary>Whether all bins are valid ones.</summary>
    public bool Fits()
    {
        long left = ActivationHistogram.HalfBins - FirstBin;
        foreach (long run in Runs)
        {
            if (run < -left || left == 0)
                return false;
            left -= run < 0 ? -run : 1;
        }

        return true;
    }

    /// <summary>The counts of all bins.</summary>
    public long[] Unpack()
    {
        var counts = new long[2 * ActivationHistogram.HalfBins];
        int bin = FirstBin + ActivationHistogram.HalfBins;
        foreach (long run in Runs)
        {
            if (run < 0)
                bin -= (int)run;
            else
                counts[bin++] = run;
        }

        return counts;
    }
}
