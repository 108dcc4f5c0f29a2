using NestQuant.Passes.LinearAlgebra;

namespace NestQuant.Passes.GroupNL.Calibration;

/// <summary>
/// Ridge regression of outputs y on features x and a constant, from running sums over samples: minimises
/// sum |W x + b - y|^2 + lambda |W|^2. The sums are float64, and their order does not depend on the number of threads.
/// </summary>
internal sealed class NormalEquations
{
    /// <summary>Samples that are added at a time, a multiple of 4: a row of the tile stays in the first-level cache.</summary>
    public const int TileSamples = 256;

    private readonly int _features;
    private readonly int _outputs;
    private readonly int _threads;

    /// <summary>Row i: the sums of feature i times features i, i + 1, ..., the constant, and the outputs.</summary>
    private readonly double[][] _sums;

    /// <summary>Sums of the squares of each output.</summary>
    private readonly double[] _squares;

    /// <summary>Starts with no samples.</summary>
    /// <param name="features">Number of features, at least 1, without the constant.</param>
    /// <param name="outputs">Number of outputs, at least 1.</param>
    /// <param name="threads">Most threads to use, at least 1.</param>
    public NormalEquations(int features, int outputs, int threads)
    {
        (_features, _outputs, _threads) = (features, outputs, threads);
        _sums = new double[features + 1][];
        for (int i = 0; i <= features; i++) _sums[i] = new double[features + 1 + outputs - i];
        _squares = new double[outputs];
        Tile = new double[(features + 1 + outputs) * TileSamples];
    }

    /// <summary>
    /// Where the next samples are written, feature by feature: [features, 1, outputs] rows of <see cref="TileSamples"/> values. The row of
    /// the constant is filled in by <see cref="Add"/>.
    /// </summary>
    public double[] Tile { get; }

    /// <summary>Samples added so far.</summary>
    public long Samples { get; private set; }

    /// <summary>The values of one feature or of one output in the tile.</summary>
    public Span<double> FeatureRow(int feature) => Row(feature);

    /// <inheritdoc cref="FeatureRow"/>
    public Span<double> OutputRow(int output) => Row(_features + 1 + output);

    /// <summary>Adds the first samples of the tile.</summary>
    /// <param name="samples">How many, 1 to <see cref="TileSamples"/>.</param>
    public void Add(int samples)
    {
        Row(_features)[..samples].Fill(1);
        // Zeros add nothing: a tile that is not full is added as a full one.
        if (samples < TileSamples)
            for (int row = 0; row < _features + 1 + _outputs; row++) Row(row)[samples..].Clear();
        Parallel.For(0, _features + 1, new ParallelOptions { MaxDegreeOfParallelism = _threads }, feature =>
            FixedOrderDot.AddRows(Row(feature), Tile.AsSpan(feature * TileSamples), _sums[feature]));
        for (int output = 0; output < _outputs; output++) _squares[output] += FixedOrderDot.Of(OutputRow(output), OutputRow(output));
        Samples += samples;
    }

    /// <summary>The solution.</summary>
    /// <param name="ridge">lambda over the mean of the features' sums of squares, at least 0.</param>
    /// <returns>For each output the weights of the features and then the bias, rounded to float32; null when the features are linearly
    /// dependent, or not finite.</returns>
    public float[][]? Solve(double ridge)
    {
        double mean = 0;
        for (int i = 0; i < _features; i++) mean += _sums[i][0] / _features;
        var lower = new Matrix(_features + 1, _features + 1);
        var solution = new Matrix(_features + 1, _outputs);
        for (int i = 0; i <= _features; i++)
        {
            for (int j = 0; j <= i; j++) lower[i, j] = _sums[j][i - j];
            if (i < _features) lower[i, i] += ridge * mean;
            for (int output = 0; output < _outputs; output++) solution[i, output] = Product(i, output);
        }

        var parallel = new ParallelOptions { MaxDegreeOfParallelism = _threads };
        if (Cholesky.Factorise(lower, parallel) is not { } factor) return null;
        factor.Solve(solution, parallel);
        Matrix byOutput = solution.Transposed();
        var weights = new float[_outputs][];
        for (int output = 0; output < _outputs; output++)
            weights[output] = Array.ConvertAll(byOutput.Row(output)[..(_features + 1)].ToArray(), static value => (float)value);
        return weights;
    }

    /// <summary>
    /// Norm of the differences between a solution's outputs and those given, over the norm of the latter, over all samples and outputs.
    /// </summary>
    public double RelativeError(float[][] solution)
    {
        var errors = new double[_outputs];
        Parallel.For(0, _outputs, new ParallelOptions { MaxDegreeOfParallelism = _threads }, output =>
        {
            double[] weights = Array.ConvertAll(solution[output], static weight => (double)weight);
            double error = _squares[output];
            for (int i = 0; i < weights.Length; i++)
            {
                double later = FixedOrderDot.Of(_sums[i].AsSpan(1, weights.Length - i - 1), weights.AsSpan(i + 1));
                error += weights[i] * ((weights[i] * _sums[i][0]) + (2 * (later - Product(i, output))));
            }

            // A value below the rounding errors of the sums can be negative.
            errors[output] = Math.Max(error, 0);
        });
        double total = errors.Sum(), squares = _squares.Sum();
        return squares > 0 ? Math.Sqrt(total / squares) : total > 0 ? double.PositiveInfinity : Math.Sqrt(total);
    }

    private Span<double> Row(int index) => Tile.AsSpan(index * TileSamples, TileSamples);

    private double Product(int feature, int output) => _sums[feature][_features + 1 + output - feature];
}
