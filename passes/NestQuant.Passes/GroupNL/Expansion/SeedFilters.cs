using NestQuant.Passes.LinearAlgebra;

namespace NestQuant.Passes.GroupNL.Expansion;

/// <summary>Chooses the trained filters that a seed convolution keeps.</summary>
/// <remarks>
/// For each group of the seed convolution, every trained filter is a candidate, cut down to the group's input channels (zero at channels
/// that it does not read). Greedy selection with column pivoting, as in a rank-revealing QR decomposition: the next filter is the one that
/// the chosen ones explain least: its residual after projection on their span has the largest norm. Among equals the lowest index wins; the
/// chosen filters keep their order. A depthwise convolution whose seeds read two channels thus keeps the stronger filter of each two, and
/// zeros for the other channel.
/// </remarks>
internal static class SeedFilters
{
    /// <summary>Residuals below this share of the largest filter's squared norm are rounding errors.</summary>
    private const double Negligible = 1e-12;

    /// <summary>The weight of the seed convolution.</summary>
    /// <param name="weights">Trained weight [outputs, inputs / trained groups, taps], finite.</param>
    /// <param name="trained">Its shape.</param>
    /// <param name="seed">Shape of the seed convolution, with the same inputs and taps.</param>
    /// <returns>Weight [seeds, inputs / seed groups, taps].</returns>
    public static float[] Choose(ReadOnlySpan<float> weights, ConvShape trained, ConvShape seed)
    {
        var chosen = new float[seed.Weights];
        int perGroup = seed.Outputs / seed.Groups, length = seed.FilterLength;
        for (int group = 0; group < seed.Groups; group++)
        {
            float[][] candidates = Candidates(weights, trained, group * seed.GroupInputs, seed.GroupInputs);
            int[] picked = Pick(candidates, perGroup);
            for (int i = 0; i < perGroup; i++) candidates[picked[i]].CopyTo(chosen, ((group * perGroup) + i) * length);
        }

        return chosen;
    }

    /// <summary>Indices of <paramref name="count"/> rows that represent the others best, ascending.</summary>
    internal static int[] Pick(float[][] rows, int count)
    {
        double[][] wide = Array.ConvertAll(rows, static row => Array.ConvertAll(row, static value => (double)value));
        double[] residuals = Array.ConvertAll(wide, static row => FixedOrderDot.Of(row, row));
        double least = residuals.Max() * Negligible;
        var factors = new List<double[]>(count);
        var picked = new List<int>(count);
        while (picked.Count < count)
        {
            int pivot = Array.IndexOf(residuals, residuals.Max());
            // The chosen rows already explain the rest: take the first of the remaining rows.
            if (residuals[pivot] <= least) pivot = Array.FindIndex(residuals, static residual => residual >= 0);
            else factors.Add(Eliminate(wide, residuals, factors, pivot));
            residuals[pivot] = -1;
            picked.Add(pivot);
        }

        picked.Sort();
        return [.. picked];
    }

    /// <summary>
    /// One step of a pivoted Cholesky decomposition of the Gram matrix, of which only the pivots' rows are ever computed.
    /// </summary>
    private static double[] Eliminate(double[][] rows, double[] residuals, List<double[]> factors, int pivot)
    {
        double root = Math.Sqrt(residuals[pivot]);
        var factor = new double[rows.Length];
        for (int i = 0; i < rows.Length; i++)
        {
            if (residuals[i] < 0 || i == pivot) continue;
            double product = FixedOrderDot.Of(rows[pivot], rows[i]);
            foreach (double[] earlier in factors) product -= earlier[pivot] * earlier[i];
            factor[i] = product / root;
            residuals[i] = Math.Max(residuals[i] - (factor[i] * factor[i]), 0);
        }

        return factor;
    }

    private static float[][] Candidates(ReadOnlySpan<float> weights, ConvShape trained, int firstInput, int inputs)
    {
        var candidates = new float[trained.Outputs][];
        for (int m = 0; m < candidates.Length; m++)
        {
            candidates[m] = new float[inputs * trained.Taps];
            int firstRead = m / (trained.Outputs / trained.Groups) * trained.GroupInputs;
            int from = Math.Max(firstRead, firstInput), to = Math.Min(firstRead + trained.GroupInputs, firstInput + inputs);
            if (from >= to) continue;
            weights.Slice((m * trained.FilterLength) + ((from - firstRead) * trained.Taps), (to - from) * trained.Taps)
                .CopyTo(candidates[m].AsSpan((from - firstInput) * trained.Taps));
        }

        return candidates;
    }
}
