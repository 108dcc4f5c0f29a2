using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Kernels.Tiers;

namespace NestQuant.RuntimeOps.Kernels.Convolutions.Depthwise;

/// <summary>
/// A convolution with one input and one output channel per group: there is no sum over input channels, so 32 neighbouring channels are
/// computed at a time, tap by tap.
/// </summary>
/// <remarks>
/// The input under a tile of outputs is copied first, 32 channels including the padding, so that the taps of all outputs lie at the same
/// distances, also at the borders, and lines are short enough for the innermost cache.
/// </remarks>
internal sealed unsafe class DepthwiseConvolution : ConvolutionPlan
{
    private const int Channels = KernelTier.TileChannels;

    private readonly KernelTier _tier;
    private readonly ConvolutionGeometry _geometry;
    private readonly PanelSource _weights;
    private readonly DepthwiseTiling _tiling;
    private readonly long _outputStride;
    private readonly Action<int> _runPart;

    private DepthwiseConvolution(in ConvolutionProblem problem)
        : base(problem)
    {
        _tier = problem.Tier;
        _geometry = problem.Geometry;
        _weights = problem.Weights;
        int panels = _weights.Layout.Panels;
        _tiling = new DepthwiseTiling(_geometry, (Partition.WantedParts(problem.Threads) + panels - 1) / panels);
        _outputStride = problem.OutputStride;
        _runPart = RunPart;
        CountParts(_tiling.Count, panels);
    }

    private int Pairs => (_geometry.Taps + 1) / 2;

    /// <summary>Plans a depthwise convolution (<see cref="Applies"/>).</summary>
    public static ConvolutionPlan? TryPlan(in ConvolutionProblem problem) => Applies(problem) ? new DepthwiseConvolution(problem) : null;

    /// <summary>
    /// Whether the convolution is depthwise, its kernel of reasonable reach, and its weights, minus their zero points, small enough for
    /// 16-bit factors with 32-bit accumulators.
    /// </summary>
    public static bool Applies(in ConvolutionProblem problem)
    {
        ConvolutionGeometry geometry = problem.Geometry;
        if (geometry.ChannelsPerGroup != 1 || geometry.OutputsPerGroup != 1 || geometry.Groups == 1 || !DepthwiseTiling.Applies(geometry))
            return false;
        long largestWeight = 128 + problem.LargestZeroPoint;
        return largestWeight <= short.MaxValue && largestWeight * 255 * (geometry.Taps + 1) <= int.MaxValue;
    }

    /// <inheritdoc/>
    protected override void Run(ParallelLoop loop) => loop.Run(checked(_weights.Layout.Panels * _tiling.Count), _runPart);

    private void RunPart(int part)
    {
        (int panel, int index) = Math.DivRem(part, _tiling.Count);
        DepthwiseTile tile = _tiling[index];
        int taps = 2 * Pairs;
        using Scratch values = new(_weights.DecodedLength);
        using Scratch weights = new(taps * Channels * sizeof(short));
        using Scratch tapPointers = new(taps * sizeof(nint));
        using Scratch strip = new(_tiling.StripPositions * Channels);
        _weights.Decode(_tier, panel, (sbyte*)values.Address);
        PairTaps(panel, (sbyte*)values.Address, (short*)weights.Address);
        Gather(tile, panel, strip.Address);
        RunTile(tile, panel, (short*)weights.Address, strip.Address, (byte**)tapPointers.Address);
        RowsDone(index, tile.FirstRow, tile.Lines * tile.Columns);
    }

    private void RunTile(in DepthwiseTile tile, int panel, short* weights, byte* strip, byte** taps)
    {
        // In bounds: the strip holds every position under the tile, 32 bytes each; an odd last tap has weight 0 and points at the first.
        // Channels that a last panel lacks have weight 0 too: computing them costs less than skipping them.
        int firstChannel = panel * Channels;
        int channels = _weights.Layout.ChannelsOf(panel);
        PanelEpilogue epilogue = Epilogue(firstChannel, channels, weights);
        int* accumulators = stackalloc int[_tier.TileRows * Channels];
        int step = _geometry.Width.Stride * Channels;
        int lineBytes = tile.StripColumns * Channels;
        byte* y = Data.Output(firstChannel) + tile.FirstRow * _outputStride;
        taps[2 * Pairs - 1] = strip;
        for (int line = 0; line < tile.Lines; line++)
        {
            for (int column = 0; column < tile.Columns; column += _tier.TileRows)
            {
                byte* origin = strip + (long)line * _geometry.Height.Stride * lineBytes + (long)column * step;
                for (int ky = 0, tap = 0; ky < _geometry.Height.Kernel; ky++)
                {
                    for (int kx = 0; kx < _geometry.Width.Kernel; kx++, tap++)
                        taps[tap] = origin + (long)ky * _geometry.Height.Dilation * lineBytes
                            + (long)kx * _geometry.Width.Dilation * Channels;
                }

                int columns = Math.Min(_tier.TileRows, tile.Columns - column);
                _tier.DotDepthwise(taps, step, columns, Pairs, weights, Channels, accumulators);
                _tier.Store(accumulators, columns, 0, channels, epilogue, null, y, _outputStride);
                y += columns * _outputStride;
            }
        }
    }

    /// <summary>The panel's factors; zero points have been subtracted from the weights, not from the activations.</summary>
    private PanelEpilogue Epilogue(int firstChannel, int channels, short* weights)
    {
        PanelEpilogue epilogue = Data.Epilogue(firstChannel, channels);
        epilogue.HasZeroPoint = false;
        new Span<int>(epilogue.ZeroPoint, Channels).Clear();
        for (int pair = 0; pair < Pairs; pair++, weights += 2 * Channels)
        {
            for (int c = 0; c < channels; c++)
                epilogue.RowCentering[c] += Data.XZeroPoint * (weights[c * 2] + weights[c * 2 + 1]);
        }

        return epilogue;
    }

    /// <summary>Reorders a decoded panel to <c>[tap / 2][channel 32][2]</c> and subtracts the zero points.</summary>
    private void PairTaps(int panel, sbyte* values, short* weights)
    {
        // In bounds: `values` has a group of 4 taps for each tap, `weights` a pair; an odd last tap is paired with weight 0.
        int channels = _weights.Layout.ChannelsOf(panel);
        new Span<short>(weights, 2 * Pairs * Channels).Clear();
        int* zeroPoints = stackalloc int[Channels];
        for (int c = 0; c < channels; c++)
            zeroPoints[c] = Data.WeightZeroPoint(panel * Channels + c);
        for (int tap = 0; tap < _geometry.Taps; tap++)
        {
            sbyte* value = values + tap / 4 * (Channels * 4) + tap % 4;
            short* weight = weights + tap / 2 * (Channels * 2) + tap % 2;
            for (int c = 0; c < channels; c++)
                weight[c * 2] = (short)(value[c * 4] - zeroPoints[c]);
        }
    }

    /// <summary>
    /// Copies a panel's channels of the input under a tile, <c>[line][column][channel 32]</c>, with the zero point in the padding.
    /// </summary>
    private void Gather(in DepthwiseTile tile, int panel, byte* strip)
    {
        // In bounds: only columns and lines inside the image are read, the panel's channels of each; StripLines * StripColumns positions
        // are written, 32 bytes each or as many as the panel has channels.
        ref readonly ConvolutionAxis height = ref _geometry.Height;
        ref readonly ConvolutionAxis width = ref _geometry.Width;
        long firstLine = (long)tile.Line * height.Stride - height.PadBegin;
        long firstColumn = (long)tile.Column * width.Stride - width.PadBegin;
        int before = (int)Math.Clamp(-firstColumn, 0, tile.StripColumns);
        int end = (int)Math.Clamp(width.Input - firstColumn, before, tile.StripColumns);
        int channels = _weights.Layout.ChannelsOf(panel);
        for (int line = 0; line < tile.StripLines; line++, strip += (long)tile.StripColumns * Channels)
        {
            long y = firstLine + line;
            bool isInside = (ulong)y < (ulong)height.Input;
            int inside = isInside ? before : tile.StripColumns;
            Pad(strip, inside);
            if (!isInside)
                continue;
            long position = ((long)tile.Image * height.Input + y) * width.Input + firstColumn + before;
            CopyChannels(
                Data.X + position * _geometry.InputChannels + panel * Channels, end - before, channels, strip + (long)before * Channels);
            Pad(strip + (long)end * Channels, tile.StripColumns - end);
        }
    }

    private void CopyChannels(byte* source, int positions, int channels, byte* target)
    {
        int stride = _geometry.InputChannels;
        for (int i = 0; i < positions; i++, source += stride, target += Channels)
        {
            if (channels == Channels)
                Vector256.Load(source).Store(target);
            else
                ByteRuns.Copy(source, channels, target);
        }
    }

    private void Pad(byte* target, int positions) => new Span<byte>(target, positions * Channels).Fill((byte)Data.XZeroPoint);
}
