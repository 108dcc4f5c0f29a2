using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Convolutions;

/// <summary>
/// The operands of one weight at one of its levels in memory, read panel by panel; the memory is never written and may be a mapped file.
/// </summary>
internal readonly unsafe struct PanelSource
{
    private readonly LevelOperands _operands;
    private readonly LevelOperands _last;
    private readonly LastPanels? _lastPanels;

    /// <summary>Wraps operands whose lengths the caller has checked against the layout.</summary>
    /// <param name="layout">The weight's layout.</param>
    /// <param name="operands">The operands, <see cref="NestedLayout.ByteLength"/> bytes each.</param>
    /// <param name="cache">Where prepared panels are kept, or null; only for operands that never change.</param>
    /// <param name="areConstant">Whether the operands never change, so that what is computed from them can be kept.</param>
    /// <param name="lastPanels">The completed last panels of the operands where the layout has a narrow one; null where they are to be
    /// completed for this object alone.</param>
    public PanelSource(
        NestedLayout layout, in LevelOperands operands, PanelCache? cache = null, bool areConstant = false, LastPanels? lastPanels = null)
    {
        Layout = layout;
        Cache = cache;
        AreConstant = areConstant;
        _operands = operands;
        if (!layout.HasNarrowPanel)
            return;
        _lastPanels = lastPanels ?? new LastPanels(layout);
        _last = _lastPanels.Of(operands);
    }

    /// <summary>The weight's layout.</summary>
    public NestedLayout Layout { get; }

    /// <summary>Where prepared panels are kept, or null.</summary>
    public PanelCache? Cache { get; }

    /// <summary>Whether the operands never change.</summary>
    public bool AreConstant { get; }

    /// <summary>Bits of the level.</summary>
    public int Level => _operands.Level;

    /// <summary>
    /// Bits of a weight, including its sign and without part precision's power of two. A level above the lowest has one more, since damaged
    /// operands can add up to slightly more than fits; but of 8:...:b values only b bits are left modulo 256.
    /// </summary>
    public int WeightBits =>
        _operands.Steps == 0 || (Layout.Bits.Full == NestedBits.Most && Level < Layout.Bits.Full) ? Level : Level + 1;

    /// <summary>Groups of 4 rows of k, the last one completed with zeros.</summary>
    public int Groups => (Layout.View.WeightsPerChannel + 3) / 4;

    /// <summary>Values of a decoded panel: <c>[Groups][channel 32][4]</c>.</summary>
    public int DecodedLength => Groups * 4 * NestedLayout.PanelChannels;

    /// <summary>Whether the other has the same operands, at the same addresses, and keeps panels in the same place.</summary>
    public bool HasSameOperands(in PanelSource other)
    {
        bool isEqual = Layout == other.Layout && Cache == other.Cache && AreConstant == other.AreConstant && Level == other.Level;
        for (int step = 0; isEqual && step <= _operands.Steps; step++)
            isEqual = _operands[step] == other._operands[step];
        return isEqual;
    }

    /// <summary>The operands from a panel on; they are valid as long as this object is in use.</summary>
    public LevelOperands OperandsOf(int panel) => From(panel, 0);

    /// <summary>
    /// Decodes one panel to the level's integers in steps of the full-precision weight, <c>[k/4][channel 32][4]</c>, zeros after the last
    /// row of k.
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
    [MethodImpl(MethodCompilation.Loops)]
    public void Decode(KernelTier tier, int panel, int firstRow, int count, sbyte* values)
    {
        // In bounds: panel < Panels, firstRow + count <= WeightsPerChannel, and a row takes 4 * width bytes, so a panel's reads end
        // where the next panel starts; a full block fills 256 of DecodedLength values, the last one the remainder.
        (int blocks, int rows) = Math.DivRem(count, NestedLayout.BlockRows);
        LevelOperands operands = From(panel, firstRow);
        tier.DecodeBlocks(operands, blocks, values);
        if (rows > 0)
        {
            Span<sbyte> last = stackalloc sbyte[NestedLayout.BlockValues];
            last = last[..(rows * NestedLayout.PanelChannels)];
            BlockValues.Decode(operands.Skip((long)blocks * NestedLayout.BlockRows), last);

            (int first, int second) = PanelOrder.GroupRows(rows);
            Span<sbyte> target = new(
                values + (long)blocks * NestedLayout.BlockValues, (first + second + 3) / 4 * 4 * NestedLayout.PanelChannels);
            Widen(last, first, target);
            if (second > 0)
                Widen(last[(first * NestedLayout.PanelChannels)..], second, target[(4 * NestedLayout.PanelChannels)..]);
        }

        GC.KeepAlive(_lastPanels);
    }

    /// <summary>Multiplies rows with the full blocks of a panel; see <see cref="KernelTier.TryMultiplyBlocks"/>.</summary>
    /// <param name="tier">Multiplies.</param>
    /// <param name="panel">Index of the panel.</param>
    /// <param name="rows">The rows' activations.</param>
    /// <param name="rowStride">Bytes from one row to the next.</param>
    /// <param name="rowCount">Rows.</param>
    /// <param name="accumulators">Receives the sums of x * w, 32 per row.</param>
    /// <param name="weightSums">Receives the sums of w, 32; null where they are not wanted.</param>
    /// <returns>The rows of k that were multiplied: 0, and nothing written, or all but the last few.</returns>
    public int MultiplyBlocks(
        KernelTier tier, int panel, byte* rows, nint rowStride, int rowCount, int* accumulators, int* weightSums)
    {
        // In bounds: as in Decode.
        int blocks = Layout.View.WeightsPerChannel / NestedLayout.BlockRows;
        bool areMultiplied = tier.TryMultiplyBlocks(From(panel, 0), blocks, rows, rowStride, rowCount, accumulators, weightSums);
        GC.KeepAlive(_lastPanels);
        return areMultiplied ? blocks * NestedLayout.BlockRows : 0;
    }

    /// <summary>The operands from a row of a panel on. What reads them keeps the completed last panels alive.</summary>
    private LevelOperands From(int panel, int row) => _lastPanels is not null && panel == Layout.Panels - 1
        ? _last.Skip(row)
        : _operands.Skip((long)panel * Layout.View.WeightsPerChannel + row);

    /// <summary>Completes a group of 1 to 4 rows, <c>[channel 32][rows]</c>, with zeros to 4.</summary>
    [MethodImpl(MethodCompilation.Loops)]
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
