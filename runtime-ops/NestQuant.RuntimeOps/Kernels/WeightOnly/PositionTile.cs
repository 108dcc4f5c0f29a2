using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NestQuant.RuntimeOps.Kernels.WeightOnly;

/// <summary>Neighbouring output positions of one image as the columns of a tile: runs whose inputs are neighbours.</summary>
internal unsafe ref struct PositionTile
{
    private readonly Span<nint> _sources;
    private readonly Span<int> _columns;
    private readonly int _runs;

    /// <summary>Finds the runs.</summary>
    /// <param name="band">Where the convolution reads.</param>
    /// <param name="first">The first position.</param>
    /// <param name="count">Positions, at least 1.</param>
    /// <param name="sources">Memory for count distances.</param>
    /// <param name="columns">Memory for count + 1 columns.</param>
    public PositionTile(FloatBand band, int first, int count, Span<nint> sources, Span<int> columns)
    {
        _sources = sources;
        _columns = columns;
        int column = 0;
        while (column < count)
        {
            (int run, int within) = Math.DivRem(first + column, band.RunLength);
            _sources[_runs] = band.RunOffset(run) + within;
            _columns[_runs++] = column;
            column = Math.Min(count, column + band.RunLength - within);
        }

        _columns[_runs] = count;
    }

    /// <summary>Copies the inputs of a few rows of k.</summary>
    /// <param name="source">The input of the first output of the image, of the first row.</param>
    /// <param name="stride">Floats from one row's to the next's.</param>
    /// <param name="rows">Rows of k.</param>
    /// <param name="target">Receives the rows.</param>
    /// <param name="width">Floats from one row to the next.</param>
    public readonly void Copy(float* source, nint stride, int rows, float* target, int width)
    {
        for (int run = 0; run < _runs; run++)
        {
            int column = _columns[run];
            CopyRun(source + _sources[run], stride, rows, _columns[run + 1] - column, target + column, width);
        }
    }

    [MethodImpl(MethodCompilation.Loops)]
    private static void CopyRun(float* source, nint stride, int rows, int count, float* target, int width)
    {
        // In bounds: where count is no multiple of a vector, the last one copies some floats again.
        const int eight = 8, four = 4;
        for (; rows > 0; rows--, source += stride, target += width)
        {
            if (count >= eight)
            {
                for (int i = 0; i < count - eight; i += eight)
                    Vector256.Load(source + i).Store(target + i);
                Vector256.Load(source + count - eight).Store(target + count - eight);
            }
            else if (count >= four)
            {
                Vector128.Load(source).Store(target);
                Vector128.Load(source + count - four).Store(target + count - four);
            }
            else
            {
                for (int i = 0; i < count; i++)
                    target[i] = source[i];
            }
        }
    }
}
