namespace NestQuant.Passes.Nesting.Calibrated;

/// <summary>
/// First and second moments of the inputs of one group of a layer, over rows of K values: im2col patches of a convolution, or rows of a
/// matrix. Each row comes twice, as the float model computes it (x_f) and as the model does whose earlier layers run at part precision
/// (x_p). Sums are float64 and in the order of the rows, whatever the number of threads and however the rows are divided over calls.
/// </summary>
/// <remarks>
/// The memory is that of two matrices of K x K float64 values, for K = <see cref="MaxBlock"/> 2 * 8 * 4,608^2 = 340 MB, and rounding takes
/// half as much again. Longer rows are cut into equal blocks, and covariances across blocks are left out, so that the memory grows linearly
/// from there: K = 25,088 makes six blocks, 1.7 GB.
/// </remarks>
internal sealed class InputMoments
{
    /// <summary>Longest block of inputs whose covariances are kept: the 3 x 3 convolution of 512 channels.</summary>
    public const int MaxBlock = 4608;

    /// <summary>Least value of <see cref="Ridge"/>: enough where there are many more rows than inputs.</summary>
    public const double LeastRidge = 0.01;

    private readonly MomentBlock[] _blocks;
    private bool _complete;

    /// <summary>Starts with no rows.</summary>
    /// <param name="length">K, at least 1.</param>
    /// <param name="maxBlock">Longest block, at least 1.</param>
    public InputMoments(int length, int maxBlock = MaxBlock)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        Length = length;
        int count = ((length - 1) / maxBlock) + 1;
        _blocks = new MomentBlock[count];
        for (int i = 0; i < count; i++)
        {
            int start = Boundary(i), end = Boundary(i + 1);
            _blocks[i] = new MomentBlock(start, end - start);
        }

        int Boundary(int block) => (int)((long)length * block / count);
    }

    /// <summary>K, the number of values in a row.</summary>
    public int Length { get; }

    /// <summary>Rows added so far.</summary>
    public long Rows { get; private set; }

    /// <summary>lambda as a share of the mean of C's diagonal.</summary>
    public double Ridge { get; set; } = LeastRidge;

    /// <summary>Adds rows.</summary>
    /// <param name="inFloat">x_f, row after row.</param>
    /// <param name="inPart">x_p, row after row.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="parallel">Threads.</param>
    /// <exception cref="InvalidOperationException">The moments have been used for rounding.</exception>
    public void Add(ReadOnlySpan<float> inFloat, ReadOnlySpan<float> inPart, int rows, ParallelOptions parallel)
    {
        if (_complete) throw new InvalidOperationException("these moments have been used: no rows can be added");
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        if (inFloat.Length != (long)rows * Length || inPart.Length != inFloat.Length)
            throw new ArgumentException($"{inFloat.Length} and {inPart.Length} values are not {rows} rows of {Length}");
        if (rows == 0) return;
        bool first = Rows == 0;
        foreach (MomentBlock block in _blocks) block.Add(inFloat, inPart, Length, rows, first, parallel);
        Rows += rows;
    }

    /// <summary>What makes up for the mean error of an output whose weights w become v: w m_f - v m_p.</summary>
    /// <param name="weights">w, K values.</param>
    /// <param name="values">v, likewise.</param>
    /// <param name="parallel">Threads.</param>
    public double MeanShift(ReadOnlySpan<float> weights, ReadOnlySpan<double> values, ParallelOptions parallel)
    {
        double shift = 0;
        foreach (MomentBlock block in Complete(parallel))
            for (int k = 0; k < block.Length; k++)
                shift += (weights[block.Start + k] * block.FloatMeans[k]) - (values[block.Start + k] * block.PartMeans[k]);
        return shift;
    }

    /// <summary>
    /// Means and covariances, which take the place of the sums. With inputs that are not finite all are zero, as without rows.
    /// </summary>
    internal IReadOnlyList<MomentBlock> Complete(ParallelOptions parallel)
    {
        if (_complete) return _blocks;
        _complete = true;
        bool finite = Rows > 0;
        foreach (MomentBlock block in _blocks) finite &= block.ComputeMeans(Rows);
        foreach (MomentBlock block in _blocks)
        {
            if (finite) block.ComputeCovariances(Rows, parallel);
            else block.Clear();
        }

        return _blocks;
    }
}
