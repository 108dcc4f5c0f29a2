using NestQuant.Passes.LinearAlgebra;

namespace NestQuant.Passes.Nesting.Calibrated;

/// <summary>
/// Rounds the weights w of one group of a layer so that its outputs on calibration data change least: the result v, whose inputs x_p
/// already carry the errors of earlier layers, replaces w with the inputs x_f of the float model.
/// </summary>
/// <remarks>
/// With C = Cov(x_p), C_x = Cov(x_f, x_p), lambda = 0.01 mean(diag C) + 1e-10 and C_r = C + lambda I, the best real weights are
/// w* = w (C_x + lambda I) C_r^-1. Three times, the integers descend on (h - y) C_r (h - y)^T from y = w* / (unit alpha) + zero rounded to
/// nearest (<see cref="CoordinateDescent"/>), and the factor of each channel becomes alpha = &lt;v, w*&gt; / &lt;v, v&gt; by C_r. All
/// sums are float64 in a fixed order, so the result does not depend on the number of threads.
/// </remarks>
internal static class CalibratedRounding
{
    /// <summary>How often integers and factors are fitted in turn.</summary>
    private const int Iterations = 3;

    /// <summary>
    /// Bounds of alpha. Pairs of integers that contain the weights leave it near 1, and a level that clips a channel's largest weights to
    /// its largest integer at most doubles them; a factor of 4 means that data and weights have little in common, and would move y so far
    /// from the pairs that rounding has no choice left.
    /// </summary>
    private const double LeastFactor = 0.25, LargestFactor = 4;

    /// <summary>Channels at a time, which bounds the memory: four matrices of these by the inputs of a block.</summary>
    private const int ChannelsAtATime = 512;

    /// <summary>Rounds the weights of a group.</summary>
    /// <param name="moments">Moments of the group's inputs; no rows can be added after this.</param>
    /// <param name="problem">The weights and their grids.</param>
    /// <param name="parallel">Threads.</param>
    public static RoundingResult Round(InputMoments moments, RoundingProblem problem, ParallelOptions parallel)
    {
        int channels = problem.Channels;
        long weights = (long)channels * moments.Length;
        if (problem.Weights.Length != weights || problem.Floors.Length != weights || problem.Zeros.Length != channels)
            throw new ArgumentException(
                $"{problem.Weights.Length} weights, {problem.Floors.Length} floors and {problem.Zeros.Length} zero points are not those of "
                    + $"{channels} channels of {moments.Length} weights");
        foreach (double unit in problem.Units)
            if (!double.IsNormal(unit) || unit < 0) throw new ArgumentException($"a unit of {unit} is not positive");

        IReadOnlyList<Objective> objectives = Objective.Of(moments, parallel);
        RoundingResult result = RoundingResult.For(channels, moments.Length);
        for (int first = 0; first < channels; first += ChannelsAtATime)
            Round(objectives, problem, moments.Length, first, Math.Min(ChannelsAtATime, channels - first), result, parallel);
        return result;
    }

    private static void Round(
        IReadOnlyList<Objective> objectives,
        RoundingProblem problem,
        int length,
        int first,
        int channels,
        RoundingResult result,
        ParallelOptions parallel)
    {
        BlockRounding[] blocks =
            [.. objectives.Select(objective => new BlockRounding(problem, length, first, channels, objective, parallel))];
        var factors = new double[channels];
        Array.Fill(factors, 1);
        for (int i = 0; i < (problem.FitsScale ? Iterations : 1); i++)
        {
            foreach (BlockRounding block in blocks) block.Round(factors, result.Integers, parallel);
            for (int m = 0; problem.FitsScale && m < channels; m++) factors[m] = ScaleFactor(blocks, m);
        }

        factors.CopyTo(result.ScaleFactors, first);
        for (int m = 0; m < channels; m++)
            foreach (BlockRounding block in blocks) block.AddTo(result, m);
    }

    private static double ScaleFactor(BlockRounding[] blocks, int channel)
    {
        double withTarget = 0, withItself = 0;
        foreach (BlockRounding block in blocks)
        {
            (double target, double itself) = block.Products(channel);
            withTarget += target;
            withItself += itself;
        }

        return withTarget > 0 && withItself > 0 ? Math.Clamp(withTarget / withItself, LeastFactor, LargestFactor) : 1;
    }
}
