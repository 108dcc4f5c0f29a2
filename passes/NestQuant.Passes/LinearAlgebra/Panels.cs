using System.Buffers;
using System.Runtime.Intrinsics;

namespace NestQuant.Passes.LinearAlgebra;

/// <summary>
/// Some rows of a matrix, packed for <see cref="PanelProduct"/>: [panel][row][<see cref="Width"/> columns], the last panel padded with
/// zeros.
/// </summary>
internal sealed class Panels : IDisposable
{
    /// <summary>Columns of a panel.</summary>
    public const int Width = 8;

    /// <summary>Most rows: one panel of each operand then stays in a first-level cache of 32 KiB.</summary>
    public const int MaxRows = 256;

    private readonly double[] _values;

    /// <summary>Rents the memory; what it holds is undefined until a call of a packing method.</summary>
    /// <param name="columns">Columns to hold, at least 1.</param>
    /// <param name="maxRows">Most rows to hold, 1 to <see cref="MaxRows"/>.</param>
    public Panels(int columns, int maxRows)
    {
        Count = Padded(columns) / Width;
        _values = ArrayPool<double>.Shared.Rent(checked(Count * Width * maxRows));
    }

    /// <summary>Number of panels.</summary>
    public int Count { get; }

    /// <summary>Rows that were packed last.</summary>
    public int Rows { get; private set; }

    /// <summary>A number of columns or rows, rounded up to whole panels.</summary>
    public static int Padded(int length) => checked(length + Width - 1) / Width * Width;

    /// <summary>One panel: <see cref="Rows"/> times <see cref="Width"/> values.</summary>
    public ReadOnlySpan<double> Panel(int index) => Slot(index);

    /// <summary>Packs a part of some rows of a matrix.</summary>
    /// <param name="source">The matrix.</param>
    /// <param name="row">The first row.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="negated">Whether to change all signs.</param>
    public void PackRows(Matrix source, int row, int rows, bool negated = false)
    {
        Rows = rows;
        for (int panel = 0; panel < Count; panel++)
        {
            Span<double> slot = Slot(panel);
            for (int i = 0; i < rows; i++)
                source.Row(row + i).Slice(panel * Width, Width).CopyTo(slot.Slice(i * Width, Width));
        }

        if (negated) Negate();
    }

    /// <summary>Packs a part of some columns of a matrix as rows.</summary>
    /// <param name="source">The matrix.</param>
    /// <param name="row">Its row that becomes the first column; a multiple of <see cref="Width"/>.</param>
    /// <param name="column">Its column that becomes the first row.</param>
    /// <param name="columns">Number of columns.</param>
    /// <param name="negated">Whether to change all signs.</param>
    public void PackColumns(Matrix source, int row, int column, int columns, bool negated = false)
    {
        Rows = columns;
        for (int panel = 0; panel < Count; panel++)
        {
            Span<double> slot = Slot(panel);
            for (int j = 0; j < Width; j++)
            {
                ReadOnlySpan<double> from = source.Row(row + (panel * Width) + j).Slice(column, columns);
                for (int i = 0; i < from.Length; i++) slot[(i * Width) + j] = from[i];
            }
        }

        if (negated) Negate();
    }

    /// <summary>Packs rows of float32 values less an offset for each column, and adds each column to its sum, row after row.</summary>
    /// <param name="source">The first row, from the first column to pack.</param>
    /// <param name="stride">Values from one row to the next.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="offsets">An offset for each column.</param>
    /// <param name="sums">The sums, padded to whole panels.</param>
    public void PackRows(ReadOnlySpan<float> source, int stride, int rows, ReadOnlySpan<double> offsets, Span<double> sums)
    {
        Rows = rows;
        for (int panel = 0; panel < Count; panel++)
        {
            int column = panel * Width, width = Math.Min(Width, offsets.Length - column);
            Span<double> slot = Slot(panel), panelSums = sums.Slice(column, Width);
            if (width == Width)
            {
                Pack(source[column..], stride, offsets.Slice(column, Width), slot, panelSums);
                continue;
            }

            slot.Clear();
            for (int i = 0; i < rows; i++)
            {
                for (int j = 0; j < width; j++)
                {
                    double value = source[(i * stride) + column + j] - offsets[column + j];
                    slot[(i * Width) + j] = value;
                    panelSums[j] += value;
                }
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => ArrayPool<double>.Shared.Return(_values);

    private static void Pack(ReadOnlySpan<float> source, int stride, ReadOnlySpan<double> offsets, Span<double> slot, Span<double> sums)
    {
        int half = Width / 2;
        Vector256<double> offsetLow = Vector256.Create(offsets), offsetHigh = Vector256.Create(offsets[half..]);
        Vector256<double> sumLow = Vector256.Create<double>(sums), sumHigh = Vector256.Create<double>(sums[half..]);
        for (int i = 0; i < slot.Length / Width; i++)
        {
            (Vector256<double> low, Vector256<double> high) = Vector256.Widen(Vector256.Create(source.Slice(i * stride, Width)));
            low -= offsetLow;
            high -= offsetHigh;
            sumLow += low;
            sumHigh += high;
            Span<double> to = slot.Slice(i * Width, Width);
            low.CopyTo(to);
            high.CopyTo(to[half..]);
        }

        sumLow.CopyTo(sums);
        sumHigh.CopyTo(sums[half..]);
    }

    private Span<double> Slot(int index) => _values.AsSpan(index * Rows * Width, Rows * Width);

    private void Negate()
    {
        foreach (ref double value in _values.AsSpan(0, Count * Rows * Width)) value = -value;
    }
}
