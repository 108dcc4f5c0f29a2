using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Kernels;

namespace NestQuant.RuntimeOps.Packing;

/// <summary>The operands of one weight in memory, read panel by panel; the memory is never written and may be a mapped file.</summary>
internal readonly unsafe struct PanelSource
{
    private readonly byte* _high;
    private readonly byte* _low;

    /// <summary>Wraps operands whose lengths the caller has checked against the layout.</summary>
    /// <param name="layout">The weight's layout.</param>
    /// <param name="high">The high operand, <see cref="NestedLayout.HighByteLength"/> bytes.</param>
    /// <param name="low">The low operand, <see cref="NestedLayout.LowByteLength"/> bytes, or null for part precision.</param>
    /// <param name="cache">Where prepared panels are kept, or null; only for operands that never change.</param>
    public PanelSource(NestedLayout layout, byte* high, byte* low, PanelCache? cache = null)
    {
        Layout = layout;
        Cache = cache;
        _high = high;
        _low = low;
    }

    /// <summary>The weight's layout.</summary>
    public NestedLayout Layout { get; }

    /// <summary>Where prepared panels are kept, or null.</summary>
    public PanelCache? Cache { get; }

    /// <summary>Whether the operands are those of part precision.</summary>
    public bool IsPart => _low == null;

    /// <summary>
    /// Bits of a weight, including its sign and without part precision's power of two. Full precision has one more than n, since damaged
    /// operands can add up to slightly more than fits in n bits.
    /// </summary>
    public int WeightBits => IsPart ? Layout.Bits.High : Layout.Bits.Full + 1;

    /// <summary>Groups of 4 rows of k, the last one completed with zeros.</summary>
    public int Groups => (Layout.View.WeightsPerChannel + 3) / 4;

    /// <summary>Values of a decoded panel: <c>[Groups][channel 32][4]</c>.</summary>
    public int DecodedLength => Groups * 4 * NestedLayout.PanelChannels;

    /// <summary>
    /// Decodes one panel to full (or part) precision integers, <c>[k/4][channel 32][4]</c>, zeros after the last row of k.
    /// </summary>
    /// <param name="tier">Decodes the full blocks.</param>
    /// <param name="panel">Index of the panel.</param>
    /// <param name="values">Receives <see cref="DecodedLength"/> values.</param>
    public void Decode(KernelTier tier, int panel, sbyte* values) => Decode(tier, panel, 0, Layout.View.WeightsPerChannel, values);

    /// <summary>Decodes neighbouring rows of k of one panel; see <see cref="Decode(KernelTier, int, sbyte*)"/>.</summary>
    /// <param name="tier">Decodes the full blocks.</param>
    /// <param name="panel">Index of the panel.</param>
    /// <param name="firstRow">The first row, a multiple of 8.</param>
    /// <param name="count">How many rows, a multiple of 8 unless they are the last ones.</param>
    /// <param name="values">Receives 32 values per row, the last four rows completed with zeros.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Decode(KernelTier tier, int panel, int firstRow, int count, sbyte* values)
    {
        // In bounds: panel < Panels, firstRow + count <= WeightsPerChannel, and a row takes 4 * width bytes, so a panel's reads end
        // where the next panel starts; a full block fills 256 of DecodedLength values, the last one the remainder.
        NestedBits bits = Layout.Bits;
        (int blocks, int rows) = Math.DivRem(count, NestedLayout.BlockRows);
        byte* high = _high + panel * Layout.HighPanelBytes + (long)firstRow * bits.High * (NestedLayout.PanelChannels / 8);
        byte* low = _low == null
            ? null
            : _low + panel * Layout.LowPanelBytes + (long)firstRow * bits.LowWidth * (NestedLayout.PanelChannels / 8);
        tier.DecodeBlocks(high, low, blocks, bits, values);
        if (rows == 0)
            return;

        int highBytes = bits.High * (NestedLayout.PanelChannels / 8);
        int lowBytes = bits.LowWidth * (NestedLayout.PanelChannels / 8);
        Span<sbyte> last = stackalloc sbyte[NestedLayout.BlockValues];
        last = last[..(rows * NestedLayout.PanelChannels)];
        BlockValues.Decode(
            new ReadOnlySpan<byte>(high + (long)blocks * NestedLayout.BlockRows * highBytes, rows * highBytes),
            low == null ? [] : new ReadOnlySpan<byte>(low + (long)blocks * NestedLayout.BlockRows * lowBytes, rows * lowBytes),
            bits,
            last);

        (int first, int second) = PanelOrder.GroupRows(rows);
        Span<sbyte> target = new(
            values + (long)blocks * NestedLayout.BlockValues, (first + second + 3) / 4 * 4 * NestedLayout.PanelChannels);
        Widen(last, first, target);
        if (second > 0)
            Widen(last[(first * NestedLayout.PanelChannels)..], second, target[(4 * NestedLayout.PanelChannels)..]);
    }

    /// <summary>Multiplies one row with the full blocks of a panel; see <see cref="KernelTier.TryMultiplyBlocks"/>.</summary>
    /// <param name="tier">Multiplies.</param>
    /// <param name="panel">Index of the panel.</param>
    /// <param name="row">The row's activations.</param>
    /// <param name="accumulators">Receives the sums of x * w, 32.</param>
    /// <param name="weightSums">Receives the sums of w, 32.</param>
    /// <returns>The rows of k that were multiplied: 0, and nothing written, or all but the last few.</returns>
    public int MultiplyBlocks(KernelTier tier, int panel, byte* row, int* accumulators, int* weightSums)
    {
        // In bounds: as in Decode.
        int blocks = Layout.View.WeightsPerChannel / NestedLayout.BlockRows;
        byte* high = _high + panel * Layout.HighPanelBytes;
        byte* low = _low == null ? null : _low + panel * Layout.LowPanelBytes;
        return tier.TryMultiplyBlocks(high, low, blocks, Layout.Bits, row, accumulators, weightSums) ? blocks * NestedLayout.BlockRows : 0;
    }

    /// <summary>Completes a group of 1 to 4 rows, <c>[channel 32][rows]</c>, with zeros to 4.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Widen(ReadOnlySpan<sbyte> group, int rows, Span<sbyte> target)
    {
        ReadOnlySpan<byte> values = MemoryMarshal.AsBytes(group);
        Span<uint> fours = MemoryMarshal.Cast<sbyte, uint>(target);
        if (rows == 1)
        {
            // One row remains in depthwise weights when the kernel is odd, since k*k mod 8 is 1.
            (Vector256<ushort> low, Vector256<ushort> high) = Vector256.Widen(Vector256.Create(values));
            (Vector256<uint> w0, Vector256<uint> w1) = Vector256.Widen(low);
            (Vector256<uint> w2, Vector256<uint> w3) = Vector256.Widen(high);
            w0.CopyTo(fours);
            w1.CopyTo(fours[8..]);
            w2.CopyTo(fours[16..]);
            w3.CopyTo(fours[24..]);
            return;
        }

        for (int channel = 0; channel < NestedLayout.PanelChannels; channel++)
        {
            uint four = 0;
            for (int row = 0; row < rows; row++)
                four |= (uint)values[channel * rows + row] << (8 * row);
            fours[channel] = four;
        }
    }
}
