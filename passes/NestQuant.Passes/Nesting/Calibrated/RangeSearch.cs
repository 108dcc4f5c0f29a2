using NestQuant.Passes.LinearAlgebra;

namespace NestQuant.Passes.Nesting.Calibrated;

/// <summary>
/// Chooses how much of each channel's range of weights to keep. A few outliers set the grid of all levels; clipping them makes its steps
/// smaller. The best range minimises the errors by C_r, each over that of the whole range, summed over all levels, where full precision
/// weighs as much as all others together and may not become worse. Weights are rounded to nearest here, and levels below full precision
/// have their best factor: a proxy for what <see cref="CalibratedRounding"/> then does.
/// </summary>
internal sealed class RangeSearch
{
    /// <summary>Factors that are tried: 1, 0.98, ..., 0.5.</summary>
    private const int Factors = 26;

    private const double FactorStep = 0.02;

    /// <summary>
    /// A full-precision error of this many times that of the whole range is mostly of clipped weights, and grows as the range shrinks: no
    /// smaller factor is tried.
    /// </summary>
    private const double Hopeless = 2;

    /// <summary>
    /// How much of what rounding to nearest gains from a smaller range, with the square of its length, clipping may cost. Other roundings
    /// have smaller errors, and gain less, but none makes up for what is clipped.
    /// </summary>
    private const double ClippingShare = 0.4;

    /// <summary>Channels at a time, which bounds the memory.</summary>
    private const int ChannelsAtATime = 512;

    private readonly IReadOnlyList<MomentBlock> _blocks;
    private readonly int _length;
    private readonly double _lambda;
    private readonly RangeProblem _problem;
    private readonly ParallelOptions _parallel;

    private RangeSearch(InputMoments moments, RangeProblem problem, ParallelOptions parallel)
    {
        (_blocks, _length, _problem, _parallel) = (moments.Complete(parallel), moments.Length, problem, parallel);
        _lambda = Objective.LambdaOf(moments, _blocks);
    }

    /// <summary>Chooses the ranges of all channels.</summary>
    /// <param name="moments">Moments of the group's inputs in the float model; no rows can be added after this.</param>
    /// <param name="problem">The weights and the ranges that hold all of them.</param>
    /// <param name="parallel">Threads.</param>
    public static ChannelRange[] Choose(InputMoments moments, RangeProblem problem, ParallelOptions parallel)
    {
        int count = problem.Units.Length;
        if (problem.Weights.Length != (long)count * moments.Length || problem.Zeros.Length != count)
            throw new ArgumentException(
                $"{problem.Weights.Length} weights and {problem.Zeros.Length} zero points are not those of {count} channels of "
                    + $"{moments.Length} weights");
        var search = new RangeSearch(moments, problem, parallel);
        var ranges = new ChannelRange[count];
        for (int first = 0; first < count; first += ChannelsAtATime)
        {
            IEnumerable<int> indices = Enumerable.Range(first, Math.Min(ChannelsAtATime, count - first));
            foreach (ChannelSearch channel in search.Choose([.. indices.Select(index => new ChannelSearch(index, problem.Levels.Count))]))
                ranges[channel.Index] = search.Range(channel.Index, channel.Factor);
        }

        return ranges;
    }

    private ChannelSearch[] Choose(ChannelSearch[] all)
    {
        ChannelSearch[] open = all;
        double[] energies = Products(open, static (weight, _) => weight).WithWeights;
        for (int i = 0; i < open.Length; i++) open[i].Energy = energies[i];
        for (int step = 0; step < Factors && open.Length > 0; step++)
        {
            double factor = 1 - (step * FactorStep);
            bool whole = step == 0;
            (double[] squares, double[] withWeights) = Products(open, factor, _problem.Bits);
            for (int i = 0; i < open.Length; i++)
                open[i].SetFullError(Error(squares[i], withWeights[i], open[i].Energy), whole, _problem.Levels.Count);

            double[] clipped = ClippingErrors(open, factor);
            double share = ClippingShare * (1 - (factor * factor));
            ChannelSearch[] allowed =
            [
                .. open.Where((channel, i) =>
                    whole || (channel.FullError <= channel.WholeFullError && clipped[i] <= share * channel.WholeFullError)),
            ];
            for (int level = 0; level < _problem.Levels.Count && allowed.Length > 0; level++)
            {
                (squares, withWeights) = Products(allowed, factor, _problem.Levels[level]);
                for (int i = 0; i < allowed.Length; i++)
                {
                    double explained = withWeights[i] > 0 ? withWeights[i] * withWeights[i] / squares[i] : 0;
                    allowed[i].AddLevelError(Math.Max(allowed[i].Energy - explained, 0), level, whole);
                }
            }

            foreach (ChannelSearch channel in allowed) channel.Compare(factor);
            open = [.. open.Where(static channel => channel.FullError < Hopeless * channel.WholeFullError)];
        }

        return all;
    }

    private ChannelRange Range(int channel, double factor) => ChannelRange.Of(_problem.Units[channel], _problem.Zeros[channel], factor);

    /// <summary>
    /// The errors of weights that are clipped and not rounded, with those of the outputs' means where no bias makes up for them.
    /// </summary>
    private double[] ClippingErrors(ChannelSearch[] channels, double factor)
    {
        double half = 1 << (_problem.Bits - 1);
        double Clip(float weight, int channel)
        {
            ChannelRange range = Range(channel, factor);
            return Math.Clamp(weight, (-half - range.Zero) * range.Unit, (half - 1 - range.Zero) * range.Unit);
        }

        (double[] squares, double[] withWeights) = Products(channels, Clip);
        return [.. channels.Select((channel, i) => Error(squares[i], withWeights[i], channel.Energy) + MeanError(channel.Index))];

        double MeanError(int channel)
        {
            if (_problem.CorrectsMean) return 0;
            double mean = 0;
            foreach (MomentBlock block in _blocks)
            {
                ReadOnlySpan<float> weights = _problem.Weights.AsSpan((channel * _length) + block.Start, block.Length);
                for (int k = 0; k < weights.Length; k++) mean += (Clip(weights[k], channel) - weights[k]) * block.FloatMeans[k];
            }

            return mean * mean;
        }
    }

    private static double Error(double squares, double withWeights, double energy) => Math.Max(squares - (2 * withWeights) + energy, 0);

    /// <summary>The products of the weights of one level.</summary>
    private (double[] Squares, double[] WithWeights) Products(ChannelSearch[] channels, double factor, int bits)
    {
        double step = 1 << (_problem.Bits - bits), fullHalf = 1 << (_problem.Bits - 1), half = 1 << (bits - 1);
        return Products(channels, (weight, channel) =>
        {
            ChannelRange range = Range(channel, factor);
            double full = Math.Clamp(Math.Round((weight / range.Unit) + range.Zero), -fullHalf, fullHalf - 1);
            return ((Math.Clamp(Math.Round(full / step), -half, half - 1) * step) - range.Zero) * range.Unit;
        });
    }

    /// <summary>&lt;v, v&gt; and &lt;v, w&gt; by C_r of some channels.</summary>
    private (double[] Squares, double[] WithWeights) Products(ChannelSearch[] channels, Func<float, int, double> value)
    {
        var squares = new double[channels.Length];
        var withWeights = new double[channels.Length];
        foreach (MomentBlock block in _blocks)
        {
            ReadOnlySpan<float> Weights(int index) =>
                _problem.Weights.AsSpan((channels[index].Index * _length) + block.Start, block.Length);
            var values = new Matrix(channels.Length, block.Length);
            FixedOrderParallel.For(channels.Length, _parallel, i =>
            {
                ReadOnlySpan<float> weights = Weights(i);
                Span<double> row = values.Row(i);
                for (int k = 0; k < weights.Length; k++) row[k] = value(weights[k], channels[i].Index);
            });
            Matrix product = PanelProduct.Of(values, block.Covariance, _parallel);
            FixedOrderParallel.For(channels.Length, _parallel, i =>
            {
                ReadOnlySpan<float> weights = Weights(i);
                ReadOnlySpan<double> row = values.Row(i), moments = product.Row(i);
                for (int k = 0; k < weights.Length; k++)
                {
                    double moment = moments[k] + (_lambda * row[k]);
                    squares[i] += moment * row[k];
                    withWeights[i] += moment * weights[k];
                }
            });
        }

        return (squares, withWeights);
    }

    /// <summary>One channel in the search.</summary>
    private sealed class ChannelSearch(int index, int levels)
    {
        private readonly double[] _wholeErrors = new double[levels];
        private double _best = double.PositiveInfinity;
        private double _cost;

        public int Index => index;

        /// <summary>The best factor so far.</summary>
        public double Factor { get; private set; } = 1;

        /// <summary>&lt;w, w&gt;.</summary>
        public double Energy { get; set; }

        /// <summary>The error of full precision with the current range.</summary>
        public double FullError { get; private set; }

        /// <summary>The error of full precision with the whole range.</summary>
        public double WholeFullError { get; private set; }

        /// <summary>Starts a factor with its error at full precision, which weighs as much as all other levels.</summary>
        public void SetFullError(double error, bool whole, int weight)
        {
            FullError = error;
            if (whole) WholeFullError = error;
            _cost = Math.Max(weight, 1) * Ratio(error, WholeFullError);
        }

        /// <summary>Adds the error of a level.</summary>
        public void AddLevelError(double error, int level, bool whole)
        {
            if (whole) _wholeErrors[level] = error;
            _cost += Ratio(error, _wholeErrors[level]);
        }

        /// <summary>Ends a factor: it becomes the best one if its cost is less than that of all before, which are larger.</summary>
        public void Compare(double factor)
        {
            if (_cost < _best) (_best, Factor) = (_cost, factor);
        }

        private static double Ratio(double error, double whole) => whole > 0 ? error / whole : 1;
    }
}
