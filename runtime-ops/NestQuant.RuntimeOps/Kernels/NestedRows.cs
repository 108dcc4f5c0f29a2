using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels;

/// <summary>
/// Converts rows of a nested table, which are its output channels, to floats: y = (float)(w_int - zero point) * scale. The same code
/// runs in every tier.
/// </summary>
internal sealed unsafe class NestedRows
{
    /// <summary>Values that one part of the work has at least, so that it takes longer than handing it to a thread.</summary>
    private const int LeastValues = 1 << 14;

    /// <summary>The largest magnitude of a zero point for which a difference stays within 32 bits.</summary>
    private const int MostNarrow = int.MaxValue - 128;

    private readonly PanelSource _table;
    private readonly ChannelFactors _factors;
    private readonly IndexList _indices;
    private readonly long _count;
    private readonly long _rowsPerPart;
    private readonly float* _target;

    private NestedRows(in PanelSource table, in ChannelFactors factors, IndexList indices, long count, long rowsPerPart, float* target)
    {
        _table = table;
        _factors = factors;
        _indices = indices;
        _count = count;
        _rowsPerPart = rowsPerPart;
        _target = target;
    }

    /// <summary>Computes the rows that are asked for.</summary>
    /// <param name="table">The nested table.</param>
    /// <param name="factors">Scale and zero point of every row.</param>
    /// <param name="indices">Indices from -rows to rows - 1.</param>
    /// <param name="count">How many.</param>
    /// <param name="target">Receives one row after the other.</param>
    /// <param name="threads">Threads of the session.</param>
    /// <param name="loop">Runs parts of the work.</param>
    public static void Run(
        in PanelSource table, in ChannelFactors factors, IndexList indices, long count, float* target, int threads, ParallelLoop loop)
    {
        if (count == 0)
            return;
        long least = LeastValues / table.Layout.View.WeightsPerChannel + 1, wanted = Partition.WantedParts(threads);
        long rowsPerPart = Math.Max(least, (count + wanted - 1) / wanted);
        NestedRows rows = new(table, factors, indices, count, rowsPerPart, target);
        int parts = (int)((count + rowsPerPart - 1) / rowsPerPart);
        if (parts == 1)
            rows.RunPart(0);
        else
            loop.Run(parts, rows.RunPart);
    }

    [MethodImpl(MethodCompilation.Loops)]
    private void RunPart(int part)
    {
        // In bounds: part * _rowsPerPart < _count, and the target has K values for each of _count rows.
        ChannelView view = _table.Layout.View;
        int length = view.WeightsPerChannel;
        using Scratch values = new(length);
        long end = Math.Min((part + 1) * _rowsPerPart, _count);
        for (long i = part * _rowsPerPart; i < end; i++)
        {
            long index = _indices[i];
            int row = (int)(index < 0 ? index + view.OutputChannels : index);
            (int panel, int channel) = Math.DivRem(row, NestedLayout.PanelChannels);
            RowDecoder.Decode(_table.OperandsOf(panel), channel, length, (sbyte*)values.Address);
            int zeroPoint = _factors.ZeroPoint == null ? 0 : _factors.ZeroPoint[row];
            Scale((sbyte*)values.Address, zeroPoint, _factors.Scale[row], _target + i * length, length);
        }
    }

    [MethodImpl(MethodCompilation.Loops)]
    private static void Scale(sbyte* values, int zeroPoint, float scale, float* target, int length)
    {
        int i = 0;
        if (Math.Abs((long)zeroPoint) <= MostNarrow)
        {
            Vector256<int> zero = Vector256.Create(zeroPoint);
            for (; i <= length - Vector128<sbyte>.Count; i += Vector128<sbyte>.Count)
            {
                Vector256<short> shorts = Vector256.WidenLower(Vector128.Load(values + i).ToVector256Unsafe());
                (Vector256<int> low, Vector256<int> high) = Vector256.Widen(shorts);
                (Vector256.ConvertToSingle(low - zero) * scale).Store(target + i);
                (Vector256.ConvertToSingle(high - zero) * scale).Store(target + i + Vector256<int>.Count);
            }
        }

        for (; i < length; i++)
            target[i] = (float)(values[i] - (long)zeroPoint) * scale;
    }
}
