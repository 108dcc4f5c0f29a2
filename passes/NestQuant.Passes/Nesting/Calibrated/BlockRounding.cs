using System.Numerics.Tensors;
using NestQuant.Passes.LinearAlgebra;

namespace NestQuant.Passes.Nesting.Calibrated;

/// <summary>
/// Some channels of a <see cref="RoundingProblem"/> over one block of inputs: their target, and the integers closest to it by C_r.
/// </summary>
internal sealed class BlockRounding
{
    private readonly RoundingProblem _problem;
    private readonly int _firstChannel;
    private readonly int _rowLength;
    private readonly MomentBlock _block;
    private readonly Objective _objective;

    /// <summary>w* and w* C_r = w (C_x + lambda I), a row for each channel.</summary>
    private readonly Matrix _target, _targetProduct;

    /// <summary>v = (h - zero) * unit, without alpha, and v C_r.</summary>
    private readonly Matrix _values;

    /// <inheritdoc cref="_values"/>
    private Matrix _valuesProduct;

    /// <summary>Computes the targets.</summary>
    /// <param name="problem">All channels.</param>
    /// <param name="rowLength">K, the weights of a channel over all blocks.</param>
    /// <param name="firstChannel">The first channel.</param>
    /// <param name="channels">Number of channels.</param>
    /// <param name="objective">The block of inputs, with its factor.</param>
    /// <param name="parallel">Threads.</param>
    public BlockRounding(
        RoundingProblem problem, int rowLength, int firstChannel, int channels, Objective objective, ParallelOptions parallel)
    {
        (_problem, _rowLength, _firstChannel, _objective, _block) = (problem, rowLength, firstChannel, objective, objective.Block);
        var weights = new Matrix(channels, _block.Length);
        for (int m = 0; m < channels; m++)
            TensorPrimitives.ConvertChecked<float, double>(Part(problem.Weights, m), weights.Row(m)[.._block.Length]);

        _targetProduct = PanelProduct.Of(weights, _block.CrossCovariance, parallel);
        for (int m = 0; m < channels; m++) AddScaled(weights.Row(m), objective.Lambda, _targetProduct.Row(m));
        Matrix solution = _targetProduct.Transposed();
        objective.Factor.Solve(solution, parallel);
        _target = solution.Transposed();
        _values = new Matrix(channels, _block.Length);
        _valuesProduct = _values;
    }

    /// <summary>Rounds the weights of all channels.</summary>
    /// <param name="scaleFactors">alpha of each channel.</param>
    /// <param name="integers">All integers of the problem; receives those of this block's channels.</param>
    /// <param name="parallel">Threads.</param>
    public void Round(double[] scaleFactors, sbyte[] integers, ParallelOptions parallel)
    {
        FixedOrderParallel.For(_target.Rows, parallel, m =>
        {
            (double unit, double zero) = (Unit(m) * scaleFactors[m], Zero(m));
            ReadOnlySpan<double> target = _target.Row(m);
            ReadOnlySpan<sbyte> floors = Part(_problem.Floors, m);
            Span<sbyte> rounded = Part(integers, m);
            Span<double> errors = _values.Row(m);
            for (int i = 0; i < rounded.Length; i++)
            {
                double exact = (target[i] / unit) + zero;
                double upper = Math.Min(floors[i] + 1, _problem.Largest);
                rounded[i] = (sbyte)Math.Clamp(Math.Round(exact), floors[i], upper);
                errors[i] = rounded[i] - exact;
            }
        });
        _valuesProduct = PanelProduct.Of(_values, _block.Covariance, parallel);
        FixedOrderParallel.For(_target.Rows, parallel, m =>
        {
            Span<double> values = _values.Row(m), product = _valuesProduct.Row(m);
            AddScaled(values, _objective.Lambda, product);
            Span<sbyte> rounded = Part(integers, m);
            _objective.Descent.Run(product, Part(_problem.Floors, m), _problem.Largest, rounded);

            // v = (h - y) unit + w* / alpha, so that no further product is needed for v C_r.
            TensorPrimitives.Multiply(product, Unit(m), product);
            AddScaled(_targetProduct.Row(m), 1 / scaleFactors[m], product);
            for (int i = 0; i < rounded.Length; i++) values[i] = (rounded[i] - Zero(m)) * Unit(m);
        });
    }

    /// <summary>The products &lt;v, w*&gt; and &lt;v, v&gt; by C_r of one channel, whose ratio is alpha.</summary>
    public (double WithTarget, double WithItself) Products(int channel) =>
        (FixedOrderDot.Of(_valuesProduct.Row(channel), _target.Row(channel)),
            FixedOrderDot.Of(_valuesProduct.Row(channel), _values.Row(channel)));

    /// <summary>Adds what this block contributes to one channel of the result.</summary>
    public void AddTo(RoundingResult result, int channel)
    {
        int index = _firstChannel + channel;
        double alpha = result.ScaleFactors[index];
        Span<double> target = _target.Row(channel), targetProduct = _targetProduct.Row(channel);
        double signal = FixedOrderDot.Of(target, targetProduct) - (_objective.Lambda * FixedOrderDot.Of(target, target));

        var difference = new double[target.Length];
        var differenceProduct = new double[target.Length];
        TensorPrimitives.Multiply(_values.Row(channel), alpha, difference);
        TensorPrimitives.Multiply(_valuesProduct.Row(channel), alpha, differenceProduct);
        TensorPrimitives.Subtract(difference, target, difference);
        TensorPrimitives.Subtract(differenceProduct, targetProduct, differenceProduct);
        double error = FixedOrderDot.Of(difference, differenceProduct) - (_objective.Lambda * FixedOrderDot.Of(difference, difference));

        // Neither can be negative but for rounding errors, where C is zero or nearly so.
        result.Errors[index] += Math.Max(error, 0);
        result.Signals[index] += Math.Max(signal, 0);
    }

    private double Unit(int channel) => _problem.Units[_firstChannel + channel];

    private double Zero(int channel) => _problem.Zeros[_firstChannel + channel];

    /// <summary>The elements of one channel that belong to the block.</summary>
    private Span<T> Part<T>(T[] values, int channel) =>
        values.AsSpan(((_firstChannel + channel) * _rowLength) + _block.Start, _block.Length);

    private static void AddScaled(ReadOnlySpan<double> values, double factor, Span<double> accumulators) =>
        TensorPrimitives.FusedMultiplyAdd(values, factor, accumulators, accumulators);
}
