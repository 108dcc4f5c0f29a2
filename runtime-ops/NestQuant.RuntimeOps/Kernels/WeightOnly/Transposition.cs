using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace NestQuant.RuntimeOps.Kernels.WeightOnly;

/// <summary>Transposes matrices of floats.</summary>
internal static unsafe class Transposition
{
    private const int Four = 4;

    /// <summary>Writes the columns of a matrix as rows.</summary>
    /// <param name="source">The matrix.</param>
    /// <param name="sourceStride">Floats from one row to the next.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="target">Receives columns rows of rows floats.</param>
    /// <param name="targetStride">Floats from one row to the next there.</param>
    [MethodImpl(MethodCompilation.Loops)]
    public static void Run(float* source, nint sourceStride, int rows, int columns, float* target, nint targetStride)
    {
        // In bounds: squares of four by four end at or before the last row and column; the rest goes one by one.
        int fours = Sse.IsSupported ? rows / Four * Four : 0;
        for (int row = 0; row < fours; row += Four)
        {
            float* from = source + row * sourceStride;
            int column = 0;
            for (; column <= columns - Four; column += Four)
                Square(from + column, sourceStride, target + column * targetStride + row, targetStride);
            OneByOne(from + column, sourceStride, Four, columns - column, target + column * targetStride + row, targetStride);
        }

        OneByOne(source + fours * sourceStride, sourceStride, rows - fours, columns, target + fours, targetStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Square(float* source, nint sourceStride, float* target, nint targetStride)
    {
        Vector128<float> row0 = Vector128.Load(source), row1 = Vector128.Load(source + sourceStride);
        Vector128<float> row2 = Vector128.Load(source + 2 * sourceStride), row3 = Vector128.Load(source + 3 * sourceStride);
        Vector128<float> low01 = Sse.UnpackLow(row0, row1), high01 = Sse.UnpackHigh(row0, row1);
        Vector128<float> low23 = Sse.UnpackLow(row2, row3), high23 = Sse.UnpackHigh(row2, row3);
        Sse.MoveLowToHigh(low01, low23).Store(target);
        Sse.MoveHighToLow(low23, low01).Store(target + targetStride);
        Sse.MoveLowToHigh(high01, high23).Store(target + 2 * targetStride);
        Sse.MoveHighToLow(high23, high01).Store(target + 3 * targetStride);
    }

    [MethodImpl(MethodCompilation.Loops)]
    private static void OneByOne(float* source, nint sourceStride, int rows, int columns, float* target, nint targetStride)
    {
        for (int column = 0; column < columns; column++)
        {
            for (int row = 0; row < rows; row++)
                target[column * targetStride + row] = source[row * sourceStride + column];
        }
    }
}
