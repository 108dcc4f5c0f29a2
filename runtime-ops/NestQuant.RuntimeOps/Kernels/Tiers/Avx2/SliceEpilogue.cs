using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>
/// The epilogue of a panel whose accumulators are in the order of <see cref="StripSlices"/>, start at − <see
/// cref="PanelEpilogue.RowCentering"/>, and give results that fit in 32 bits before clamping.
/// </summary>
internal unsafe struct SliceEpilogue
{
    /// <summary>The first values of the accumulators, in slices.</summary>
    public fixed int Starts[KernelTier.TileChannels];

    // In slices.
    private fixed float _scale[KernelTier.TileChannels];
    private fixed float _bias[KernelTier.TileChannels];

    // In the order of the channels, with nothing left to center.
    private PanelEpilogue _panel;

    /// <summary>Reorders a panel's factors.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    public SliceEpilogue(in PanelEpilogue epilogue)
    {
        // In bounds: every buffer holds 32 values.
        _panel = epilogue;
        fixed (PanelEpilogue* panel = &_panel)
        fixed (float* scale = _scale, bias = _bias)
        fixed (int* starts = Starts)
        {
            for (int slice = 0; slice < StripSlices.Count; slice++)
            {
                int at = slice * StripSlices.Channels;
                StripSlices.Load((int*)panel->Scale, slice).Store((int*)scale + at);
                StripSlices.Load((int*)panel->Bias, slice).Store((int*)bias + at);
                (-StripSlices.Load(panel->RowCentering, slice)).Store(starts + at);
            }

            new Span<int>(panel->RowCentering, KernelTier.TileChannels).Clear();
        }
    }

    /// <summary>Stores rows of results.</summary>
    /// <param name="tile">Accumulators, 32 per row, in slices; undefined afterwards.</param>
    /// <param name="rows">Rows to store.</param>
    /// <param name="channels">Channels of the panel to store, the first ones.</param>
    /// <param name="y">Output of the first row.</param>
    /// <param name="yStride">Bytes from one row to the next.</param>
    [MethodImpl(MethodCompilation.Loops)]
    public void Store(int* tile, int rows, int channels, byte* y, nint yStride)
    {
        // In bounds: 32 accumulators per row; as many bytes of an output row as the panel has channels.
        if (!_panel.IsQuantized)
        {
            for (int row = 0; row < rows; row++)
                StripSlices.Restore(tile + row * KernelTier.TileChannels);
            TileEpilogue.Store(tile, rows, 0, channels, _panel, null, y, yStride);
            return;
        }

        Vector256<short> zeroPoint = Vector256.Create((short)_panel.OutputZeroPoint);
        Vector256<byte> least = Vector256.Create((byte)((int)_panel.Least + _panel.OutputZeroPoint));
        Vector256<byte> greatest = Vector256.Create((byte)((int)_panel.Greatest + _panel.OutputZeroPoint));
        fixed (float* scale = _scale, bias = _bias)
        {
            for (int row = 0; row < rows; row++, tile += KernelTier.TileChannels, y += yStride)
            {
                Vector256<short> w0 = X86Avx2.PackSignedSaturate(Round(tile, scale, bias), Round(tile + 8, scale + 8, bias + 8));
                Vector256<short> w1 = X86Avx2.PackSignedSaturate(
                    Round(tile + 16, scale + 16, bias + 16), Round(tile + 24, scale + 24, bias + 24));
                Vector256<byte> bytes = X86Avx2.PackUnsignedSaturate(
                    X86Avx2.AddSaturate(w0, zeroPoint), X86Avx2.AddSaturate(w1, zeroPoint));
                bytes = X86Avx2.Min(X86Avx2.Max(bytes, least), greatest);
                if (channels == KernelTier.TileChannels)
                {
                    bytes.Store(y);
                }
                else
                {
                    bytes.Store((byte*)tile);
                    ByteRuns.Copy((byte*)tile, channels, y);
                }
            }
        }
    }

    /// <summary>Eight results, rounded half to even.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Round(int* accumulators, float* scale, float* bias)
    {
        Vector256<float> product = Avx.Multiply(Avx.ConvertToVector256Single(Vector256.Load(accumulators)), Vector256.Load(scale));
        return Avx.ConvertToVector256Int32(Avx.Add(product, Vector256.Load(bias)));
    }
}
