using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace NestQuant.Passes.LinearAlgebra;

/// <summary>
/// Adds products of packed rows to a matrix: target[i, j] += sum over r of left[r, i] * right[r, j]. Each element is a chain of fused
/// multiply-adds in the order of r, so results depend neither on the number of threads nor on the vector width, nor on how the rows are
/// divided over calls.
/// </summary>
internal static class PanelProduct
{
    /// <summary>Panels of each operand in a tile of the target: both then fit a second-level cache of 512 KiB.</summary>
    private const int TilePanels = 8;

    /// <summary>Rows of the target whose accumulators are in registers at a time.</summary>
    private const int RegisterRows = Panels.Width / 2;

    /// <summary>Adds a product.</summary>
    /// <param name="left">The left operand.</param>
    /// <param name="right">The right one, with as many rows.</param>
    /// <param name="target">The matrix.</param>
    /// <param name="row">The row of the target that belongs to the first column of <paramref name="left"/>.</param>
    /// <param name="column">The column of the target that belongs to the first column of <paramref name="right"/>.</param>
    /// <param name="lower">Leaves out tiles that are strictly above the diagonal of the product; what is above it elsewhere is still
    /// changed.</param>
    /// <param name="parallel">Threads.</param>
    public static void Add(
        Panels left, Panels right, Matrix target, int row, int column, bool lower, ParallelOptions parallel)
    {
        int tilesDown = (left.Count + TilePanels - 1) / TilePanels, tilesAcross = (right.Count + TilePanels - 1) / TilePanels;
        FixedOrderParallel.For(tilesDown * tilesAcross, parallel, tile =>
        {
            (int down, int across) = Math.DivRem(tile, tilesAcross);
            if (lower && across > down) return;
            int bottom = Math.Min((down + 1) * TilePanels, left.Count), end = Math.Min((across + 1) * TilePanels, right.Count);
            for (int j = across * TilePanels; j < end; j++)
            {
                ReadOnlySpan<double> rightPanel = right.Panel(j);
                for (int i = down * TilePanels; i < bottom; i++)
                {
                    ReadOnlySpan<double> leftPanel = left.Panel(i);
                    for (int part = 0; part < Panels.Width; part += RegisterRows)
                    {
                        Span<double> to = target.From(row + (i * Panels.Width) + part, column + (j * Panels.Width));
                        AddTile(leftPanel[part..], rightPanel, left.Rows, to, target.Stride);
                    }
                }
            }
        });
    }

    /// <summary>The product of two matrices.</summary>
    public static Matrix Of(Matrix left, Matrix right, ParallelOptions parallel)
    {
        var product = new Matrix(left.Rows, right.Columns);
        using var leftPanels = new Panels(left.Rows, Panels.MaxRows);
        using var rightPanels = new Panels(right.Columns, Panels.MaxRows);
        for (int first = 0; first < left.Columns; first += Panels.MaxRows)
        {
            int depth = Math.Min(Panels.MaxRows, left.Columns - first);
            leftPanels.PackColumns(left, 0, first, depth);
            rightPanels.PackRows(right, first, depth);
            Add(leftPanels, rightPanels, product, 0, 0, lower: false, parallel);
        }

        return product;
    }

    /// <summary>
    /// Four rows by eight columns of the target. In bounds: the slices at the start hold all that is read and written through references.
    /// </summary>
    private static void AddTile(ReadOnlySpan<double> left, ReadOnlySpan<double> right, int rows, Span<double> target, int stride)
    {
        const int half = Panels.Width / 2;
        ref double a = ref MemoryMarshal.GetReference(left[..(((rows - 1) * Panels.Width) + RegisterRows)]);
        ref double b = ref MemoryMarshal.GetReference(right[..(rows * Panels.Width)]);
        Span<double> row0 = target[..Panels.Width], row1 = target.Slice(stride, Panels.Width);
        Span<double> row2 = target.Slice(2 * stride, Panels.Width), row3 = target.Slice(3 * stride, Panels.Width);
        Vector256<double> low0 = Vector256.Create<double>(row0), high0 = Vector256.Create<double>(row0[half..]);
        Vector256<double> low1 = Vector256.Create<double>(row1), high1 = Vector256.Create<double>(row1[half..]);
        Vector256<double> low2 = Vector256.Create<double>(row2), high2 = Vector256.Create<double>(row2[half..]);
        Vector256<double> low3 = Vector256.Create<double>(row3), high3 = Vector256.Create<double>(row3[half..]);
        for (int i = 0; i < rows; i++)
        {
            Vector256<double> low = Vector256.LoadUnsafe(ref b), high = Vector256.LoadUnsafe(ref b, half);
            Vector256<double> factor = Vector256.Create(a);
            low0 = Vector256.FusedMultiplyAdd(factor, low, low0);
            high0 = Vector256.FusedMultiplyAdd(factor, high, high0);
            factor = Vector256.Create(Unsafe.Add(ref a, 1));
            low1 = Vector256.FusedMultiplyAdd(factor, low, low1);
            high1 = Vector256.FusedMultiplyAdd(factor, high, high1);
            factor = Vector256.Create(Unsafe.Add(ref a, 2));
            low2 = Vector256.FusedMultiplyAdd(factor, low, low2);
            high2 = Vector256.FusedMultiplyAdd(factor, high, high2);
            factor = Vector256.Create(Unsafe.Add(ref a, 3));
            low3 = Vector256.FusedMultiplyAdd(factor, low, low3);
            high3 = Vector256.FusedMultiplyAdd(factor, high, high3);
            a = ref Unsafe.Add(ref a, Panels.Width);
            b = ref Unsafe.Add(ref b, Panels.Width);
        }

        low0.CopyTo(row0);
        high0.CopyTo(row0[half..]);
        low1.CopyTo(row1);
        high1.CopyTo(row1[half..]);
        low2.CopyTo(row2);
        high2.CopyTo(row2[half..]);
        low3.CopyTo(row3);
        high3.CopyTo(row3[half..]);
    }
}
