using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using NestQuant.RuntimeOps.Kernels.Execution;

namespace NestQuant.RuntimeOps.Kernels;

/// <summary>
/// Bilinear interpolation of bytes, channels last, rounded to nearest (ties to even): first between two rows, then between two columns,
/// each as <c>a + (b - a) * fraction</c> in float32.
/// </summary>
/// <remarks>Every operation rounds once, and none is fused with another, so that vectors of any width give the same bits.</remarks>
internal sealed unsafe class LinearResize
{
    private const int BytesPerPart = 64 * 1024;

    /// <summary>A float of this size has a step of 1: adding it rounds, and leaves the integer in the low bits.</summary>
    private const float Rounder = 3 << 22;

    private readonly byte* _x;
    private readonly byte* _y;
    private readonly ResizeAxis _rows;
    private readonly ResizeAxis _columns;
    private readonly int _channels;
    private readonly long _sourceRow;
    private readonly long _row;
    private readonly long _count;
    private readonly long _rowsPerPart;

    private LinearResize(byte* x, byte* y, int samples, ResizeAxis rows, ResizeAxis columns, int channels)
    {
        _x = x;
        _y = y;
        _rows = rows;
        _columns = columns;
        _channels = channels;
        _sourceRow = (long)columns.Source * channels;
        _row = (long)columns.Low.Length * channels;
        _count = (long)samples * rows.Low.Length;
        _rowsPerPart = Math.Max(1, BytesPerPart / Math.Max(1, _row));
    }

    /// <summary>Runs on maps.</summary>
    /// <param name="x">[samples, rows.Source, columns.Source, channels].</param>
    /// <param name="y">Receives [samples, rows, columns, channels].</param>
    /// <param name="samples">How many.</param>
    /// <param name="rows">The vertical axis.</param>
    /// <param name="columns">The horizontal axis.</param>
    /// <param name="channels">Channels.</param>
    /// <param name="loop">Runs the parts.</param>
    public static void Run(byte* x, byte* y, int samples, ResizeAxis rows, ResizeAxis columns, int channels, ParallelLoop loop)
    {
        LinearResize resize = new(x, y, samples, rows, columns, channels);
        if (resize._count * resize._row > 0)
            loop.Run(checked((int)((resize._count + resize._rowsPerPart - 1) / resize._rowsPerPart)), resize.RunPart);
    }

    private void RunPart(int part)
    {
        using Scratch scratch = new(_sourceRow * sizeof(float));
        float* blended = (float*)scratch.Address;
        long end = Math.Min((part + 1) * _rowsPerPart, _count);
        for (long i = part * _rowsPerPart; i < end; i++)
        {
            (long sample, long row) = Math.DivRem(i, _rows.Low.Length);
            byte* source = _x + sample * _rows.Source * _sourceRow;
            Blend(source + _rows.Low[row] * _sourceRow, source + _rows.High[row] * _sourceRow, _rows.Fraction[row], blended, _sourceRow);
            byte* y = _y + i * _row;
            for (int column = 0; column < _columns.Low.Length; column++, y += _channels)
            {
                float* low = blended + (long)_columns.Low[column] * _channels, high = blended + (long)_columns.High[column] * _channels;
                Blend(low, high, _columns.Fraction[column], y, _channels);
            }
        }
    }

    /// <summary>Between two rows of bytes.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    private static void Blend(byte* a, byte* b, float fraction, float* result, long count)
    {
        // In bounds: all three have count elements, and a vector is read only where it ends before that.
        Vector256<float> part = Vector256.Create(fraction);
        long i = 0;
        for (; i <= count - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            Vector256<float> low = Widen(a + i);
            (low + (Widen(b + i) - low) * part).Store(result + i);
        }

        for (; i < count; i++)
            result[i] = a[i] + (b[i] - a[i]) * fraction;
    }

    /// <summary>Between two positions of a row, rounded.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    private static void Blend(float* a, float* b, float fraction, byte* result, int count)
    {
        // In bounds: all three have count elements, and a vector is read only where it ends before that.
        Vector256<float> part = Vector256.Create(fraction), rounder = Vector256.Create(Rounder);
        int i = 0;
        for (; i <= count - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            Vector256<float> low = Vector256.Load(a + i);
            Vector256<uint> rounded = (low + (Vector256.Load(b + i) - low) * part + rounder).AsUInt32();
            Vector128<ushort> narrow = Vector128.Narrow(rounded.GetLower(), rounded.GetUpper());
            *(ulong*)(result + i) = Vector128.Narrow(narrow, narrow).AsUInt64().ToScalar();
        }

        for (; i < count; i++)
            result[i] = (byte)BitConverter.SingleToUInt32Bits(a[i] + (b[i] - a[i]) * fraction + Rounder);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Widen(byte* eight)
    {
        if (Avx2.IsSupported)
            return Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(eight));
        Vector128<ushort> wide = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)eight).AsByte());
        return Vector256.ConvertToSingle(Vector256.Create(Vector128.WidenLower(wide), Vector128.WidenUpper(wide)).AsInt32());
    }
}
