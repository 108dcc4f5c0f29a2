namespace NestQuant.Passes.LinearAlgebra;

/// <summary>
/// A matrix of float64 values, row after row. Rows and columns are padded with zeros to a multiple of <see cref="Panels.Width"/>, so that
/// the kernels of <see cref="PanelProduct"/> have no special case at the edges.
/// </summary>
internal sealed class Matrix
{
    private readonly double[] _values;

    /// <summary>Creates a matrix of zeros.</summary>
    public Matrix(int rows, int columns)
    {
        (Rows, Columns, Stride) = (rows, columns, Panels.Padded(columns));
        _values = new double[checked(Panels.Padded(rows) * Stride)];
    }

    /// <summary>Number of rows, without padding.</summary>
    public int Rows { get; }

    /// <summary>Number of columns, without padding.</summary>
    public int Columns { get; }

    /// <summary>Values from the start of one row to the start of the next.</summary>
    public int Stride { get; }

    /// <summary>One element.</summary>
    public ref double this[int row, int column] => ref _values[(row * Stride) + column];

    /// <summary>One row, padding included; also a row of the padding.</summary>
    public Span<double> Row(int row) => _values.AsSpan(row * Stride, Stride);

    /// <summary>All values from one element on, through the padding of the last row.</summary>
    public Span<double> From(int row, int column) => _values.AsSpan((row * Stride) + column);

    /// <summary>The transposed matrix.</summary>
    public Matrix Transposed()
    {
        var result = new Matrix(Columns, Rows);
        // By tiles, so that the cache lines of one tile's rows are still there when its next column is read.
        for (int top = 0; top < Rows; top += Panels.Width)
        {
            int bottom = Math.Min(top + Panels.Width, Rows);
            for (int column = 0; column < Columns; column++)
                for (int row = top; row < bottom; row++) result[column, row] = this[row, column];
        }

        return result;
    }

    /// <summary>Makes a square matrix symmetric.</summary>
    public void CopyLowerToUpper(ParallelOptions parallel) =>
        FixedOrderParallel.For((Rows + Panels.Width - 1) / Panels.Width, parallel, panel =>
        {
            int left = panel * Panels.Width, right = Math.Min(left + Panels.Width, Rows);
            for (int row = left; row < Rows; row++)
                for (int column = left; column < Math.Min(right, row); column++) this[column, row] = this[row, column];
        });
}
