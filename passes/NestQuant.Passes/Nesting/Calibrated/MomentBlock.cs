using NestQuant.Passes.LinearAlgebra;

namespace NestQuant.Passes.Nesting.Calibrated;

/// <summary>
/// The moments of some successive inputs of a layer: sums while rows are added, means and covariances after that. Sums are of differences
/// from the first row, so that a constant input has a variance of exactly zero, and a large mean costs no precision.
/// </summary>
/// <param name="start">Index of the first input.</param>
/// <param name="length">Number of inputs.</param>
internal sealed class MomentBlock(int start, int length)
{
    private readonly double[] _floatOffsets = new double[length];
    private readonly double[] _partOffsets = new double[length];

    /// <summary>Index of the first input.</summary>
    public int Start => start;

    /// <summary>Number of inputs.</summary>
    public int Length => length;

    /// <summary>m_f, the means of x_f.</summary>
    public double[] FloatMeans { get; } = new double[Panels.Padded(length)];

    /// <summary>m_p, the means of x_p.</summary>
    public double[] PartMeans { get; } = new double[Panels.Padded(length)];

    /// <summary>C = Cov(x_p); only the lower triangle while rows are added.</summary>
    public Matrix Covariance { get; } = new(length, length);

    /// <summary>C_x = Cov(x_f, x_p), a row for each x_f.</summary>
    public Matrix CrossCovariance { get; } = new(length, length);

    /// <summary>Adds rows.</summary>
    /// <param name="inFloat">x_f, all inputs of the layer.</param>
    /// <param name="inPart">x_p.</param>
    /// <param name="stride">Values in a row.</param>
    /// <param name="rows">Number of rows, at least 1.</param>
    /// <param name="first">Whether no rows have been added before.</param>
    /// <param name="parallel">Threads.</param>
    public void Add(
        ReadOnlySpan<float> inFloat, ReadOnlySpan<float> inPart, int stride, int rows, bool first, ParallelOptions parallel)
    {
        for (int i = 0; first && i < length; i++)
            (_floatOffsets[i], _partOffsets[i]) = (inFloat[start + i], inPart[start + i]);
        int most = Math.Min(rows, Panels.MaxRows);
        using var left = new Panels(length, most);
        using var right = new Panels(length, most);
        for (int row = 0; row < rows; row += most)
        {
            int count = Math.Min(most, rows - row), from = (row * stride) + start;
            left.PackRows(inFloat[from..], stride, count, _floatOffsets, FloatMeans);
            right.PackRows(inPart[from..], stride, count, _partOffsets, PartMeans);
            PanelProduct.Add(right, right, Covariance, 0, 0, lower: true, parallel);
            PanelProduct.Add(left, right, CrossCovariance, 0, 0, lower: false, parallel);
        }
    }

    /// <summary>Replaces the sums of the inputs by their means less the offsets. Returns whether all are finite.</summary>
    public bool ComputeMeans(long rows)
    {
        bool finite = true;
        for (int i = 0; i < length; i++)
        {
            FloatMeans[i] /= rows;
            PartMeans[i] /= rows;
            finite &= double.IsFinite(FloatMeans[i]) && double.IsFinite(PartMeans[i]);
        }

        return finite;
    }

    /// <summary>Replaces the sums of products by covariances, and adds the offsets to the means.</summary>
    public void ComputeCovariances(long rows, ParallelOptions parallel)
    {
        FixedOrderParallel.For(length, parallel, i =>
        {
            Span<double> covariances = Covariance.Row(i), crossCovariances = CrossCovariance.Row(i);
            for (int j = 0; j <= i; j++) covariances[j] = (covariances[j] / rows) - (PartMeans[i] * PartMeans[j]);
            for (int j = 0; j < length; j++) crossCovariances[j] = (crossCovariances[j] / rows) - (FloatMeans[i] * PartMeans[j]);
            covariances[i] = Math.Max(covariances[i], 0);
        });
        Covariance.CopyLowerToUpper(parallel);
        for (int i = 0; i < length; i++)
        {
            FloatMeans[i] += _floatOffsets[i];
            PartMeans[i] += _partOffsets[i];
        }
    }

    /// <summary>Makes all means and covariances zero.</summary>
    public void Clear()
    {
        Array.Clear(FloatMeans);
        Array.Clear(PartMeans);
        Covariance.From(0, 0).Clear();
        CrossCovariance.From(0, 0).Clear();
    }
}
