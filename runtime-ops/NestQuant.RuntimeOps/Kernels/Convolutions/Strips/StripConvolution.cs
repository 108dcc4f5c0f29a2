using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Kernels.Convolutions.Depthwise;
using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Convolutions.Strips;

/// <summary>
/// A depthwise convolution for tiers that multiply unsigned by signed bytes and add four products at once: the four are those of a column
/// of the kernel, whose input lines are interleaved byte by byte first.
/// </summary>
/// <remarks>
/// The interleaved bytes are used for all outputs of a line and, where the kernel leaves one of the four lines unused, also for those of
/// the line below. The output is cut into parts, each a tile of positions by some panels (32 channels): the addresses of input lines and
/// the padding are the same for all panels of a part. Small layers take microseconds, so the code around the kernels is fully optimized
/// from the first call.
/// </remarks>
internal sealed unsafe class StripConvolution : ConvolutionPlan
{
    private const int Channels = KernelTier.TileChannels;

    // No part is so small that the cost of starting it matters.
    private const long LeastPartProducts = 64 * 1024;

    // A line of zero points is made for every run.
    private const long MostLineBytes = 16 * 1024 * 1024;

    private readonly StripKernel _kernel;
    private readonly ConvolutionGeometry _geometry;
    private readonly StripShape _shape;
    private readonly StripTiling _tiling;
    private readonly StripWeights _weights;
    private readonly NestedLayout _layout;
    private readonly int _panelsPerPart;
    private readonly int _panelParts;
    private readonly long _outputStride;
    private readonly Action<int> _runPart;

    // A line of zero points, for lines above and below the image.
    private byte* _padding;

    private StripConvolution(in ConvolutionProblem problem, StripKernel kernel)
        : base(problem)
    {
        ConvolutionGeometry geometry = problem.Geometry;
        PanelSource weights = problem.Weights;
        _kernel = kernel;
        _geometry = geometry;
        _layout = weights.Layout;
        _shape = new StripShape(geometry);
        _weights = new StripWeights(problem.Tier, kernel, weights, _shape);
        KeepPanels(_weights);
        long products = (long)geometry.Rows * geometry.OutputChannels * geometry.Taps;
        int parts = (int)Math.Clamp(products / LeastPartProducts, 1, Partition.WantedParts(problem.Threads));
        _panelsPerPart = Math.Max(1, _layout.Panels / parts);
        _panelParts = (_layout.Panels + _panelsPerPart - 1) / _panelsPerPart;
        _tiling = new StripTiling(geometry, kernel, _shape, (parts + _panelParts - 1) / _panelParts);
        _outputStride = problem.OutputStride;
        _runPart = RunPart;
        CountParts(_tiling.Count, _panelParts);
    }

    private int GroupLines => _shape.Groups * StripKernel.GroupLines;

    /// <summary>Bytes of a line of the input.</summary>
    private long LineBytes => (long)_geometry.Width.Input * _geometry.InputChannels;

    /// <summary>
    /// Plans a depthwise convolution (<see cref="DepthwiseConvolution.Applies"/>) that has lines of reasonable length, no weight zero
    /// points, and results that fit in 32 bits before clamping, as with every sensible scale.
    /// </summary>
    public static ConvolutionPlan? TryPlan(in ConvolutionProblem problem) =>
        problem.Tier.Strips is { } kernel
        && DepthwiseConvolution.Applies(problem)
        && (long)problem.Geometry.Width.Input * problem.Geometry.InputChannels <= MostLineBytes
        && problem.LargestZeroPoint == 0
        && problem.AreResultsOfInt32
            ? new StripConvolution(problem, kernel)
            : null;

    /// <inheritdoc/>
    protected override void Run(ParallelLoop loop)
    {
        using Scratch padding = new(LineBytes);
        new Span<byte>(padding.Address, (int)LineBytes).Fill((byte)Data.XZeroPoint);
        _padding = padding.Address;
        loop.Run(checked(_tiling.Count * _panelParts), _runPart);
    }

    [MethodImpl(MethodCompilation.Loops)]
    private void RunPart(int part)
    {
        (int index, int panelPart) = Math.DivRem(part, _panelParts);
        StripTile tile = _tiling[index];
        int firstPanel = panelPart * _panelsPerPart;
        int endPanel = Math.Min(firstPanel + _panelsPerPart, _layout.Panels);
        int steps = (tile.Lines + _shape.LinesPerStep - 1) / _shape.LinesPerStep;

        // In bounds: four pieces of memory, of the lengths that are added up here, the first two from multiples of 64 bytes on.
        int stripBytes = checked(_shape.Groups * tile.StripColumns * _kernel.ColumnBytes);
        int weightBytes = (_weights.Bytes + StripKernel.Alignment - 1) & -StripKernel.Alignment;
        int linesBytes = checked(steps * GroupLines * sizeof(byte*));
        using Scratch memory = new((long)stripBytes + weightBytes + linesBytes + _shape.Taps * sizeof(nint));
        byte* strip = memory.Address;
        byte* prepared = strip + stripBytes;
        byte** lines = (byte**)(prepared + weightBytes);
        nint* tapOffsets = (nint*)((byte*)lines + linesBytes);
        FillTapOffsets(tile, tapOffsets);
        StripArguments arguments = Arguments(tile, strip, lines, tapOffsets);
        for (int panel = firstPanel; panel < endPanel; panel++)
        {
            byte* kept = Kept == null ? null : Kept.Get(_weights, panel);
            if (kept == null)
                _weights.Prepare(panel, prepared);
            RunPanel(arguments, tile, panel, kept == null ? prepared : kept);
        }

        RowsDone(index, tile.FirstRow, tile.Lines * tile.Columns);
    }

    [MethodImpl(MethodCompilation.Loops)]
    private void RunPanel(in StripArguments common, in StripTile tile, int panel, byte* prepared)
    {
        int firstChannel = panel * Channels;
        int channels = _layout.ChannelsOf(panel);
        PanelEpilogue epilogue = Data.Epilogue(firstChannel, channels);
        int* sums = StripWeights.Sums(prepared);
        for (int c = 0; c < Channels; c += Vector256<int>.Count)
            (Vector256.Load(sums + c) * Data.XZeroPoint).Store(epilogue.RowCentering + c);

        StripArguments arguments = common;
        arguments.FirstByte = firstChannel;
        arguments.Channels = channels;
        arguments.Weights = _weights.Line(prepared, 0);
        arguments.SecondWeights = _weights.Line(prepared, _shape.LinesPerStep - 1);
        arguments.Epilogue = &epilogue;
        arguments.Y = Data.Output(firstChannel) + tile.FirstRow * _outputStride;
        int steps = tile.Lines / _shape.LinesPerStep;
        if (steps > 0)
        {
            StripArguments whole = arguments;
            whole.Steps = steps;
            _kernel.Run(&whole, _shape.LinesPerStep);
        }

        if (tile.Lines % _shape.LinesPerStep != 0)
        {
            arguments.Steps = 1;
            arguments.Lines += steps * GroupLines;
            arguments.Y += (tile.Lines - 1) * arguments.LineStride;
            _kernel.Run(&arguments, 1);
        }
    }

    /// <summary>The arguments that are the same for all panels of a tile; writes the addresses of its lines, and the strip's
    /// padding.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    private StripArguments Arguments(in StripTile tile, byte* strip, byte** lines, nint* tapOffsets)
    {
        // In bounds: lines are read from their first column inside the image on, as many columns as are inside. Lines of a group that the
        // kernel does not reach have weight 0, and the first line is used for them, but pairs of lines are completed: in kernels of 3 lines
        // with a stride of 2, the next step begins with that pair. Outside the image, the line of zero points is used.
        ref readonly ConvolutionAxis height = ref _geometry.Height;
        ref readonly ConvolutionAxis width = ref _geometry.Width;
        long firstColumn = (long)tile.Column * width.Stride - width.PadBegin;
        int before = (int)Math.Clamp(-firstColumn, 0, tile.StripColumns);
        int end = (int)Math.Clamp(width.Input - firstColumn, before, tile.StripColumns);
        byte* image = Data.X + (long)tile.Image * height.Input * LineBytes;
        int reached = height.Kernel + _shape.LinesPerStep - 1;
        reached += reached % 2;
        for (int line = tile.Line; line < tile.Line + tile.Lines; line += _shape.LinesPerStep)
        {
            for (int i = 0; i < GroupLines; i++)
            {
                long y = (long)line * height.Stride - height.PadBegin + (i < reached ? (long)i * height.Dilation : 0);
                *lines++ = (ulong)y < (ulong)height.Input
                    ? image + y * LineBytes + (firstColumn + before) * _geometry.InputChannels
                    : _padding;
            }
        }

        int groupBytes = tile.StripColumns * _kernel.ColumnBytes;
        for (int group = 0; group < _shape.Groups; group++)
        {
            Pad(strip + (long)group * groupBytes, before);
            Pad(strip + (long)group * groupBytes + (long)end * _kernel.ColumnBytes, tile.StripColumns - end);
        }

        int linePointers = (tile.Lines + _shape.LinesPerStep - 1) / _shape.LinesPerStep * GroupLines;
        byte* inside = strip + (long)before * _kernel.ColumnBytes;
        return new StripArguments
        {
            Lines = lines - linePointers,
            PositionStride = _geometry.InputChannels,
            InsideColumns = end - before,
            Inside = inside,
            InsideEnd = inside + (long)_shape.Groups * groupBytes,
            GroupGap = (tile.StripColumns - (end - before)) * _kernel.ColumnBytes,
            Strip = strip,
            Columns = tile.Columns,
            ColumnStep = width.Stride * _kernel.ColumnBytes,
            TapOffsets = tapOffsets,
            Taps = _shape.Taps,
            RowStride = (nint)_outputStride,
            LineStride = (nint)(_outputStride * _geometry.Width.Output),
        };
    }

    private void FillTapOffsets(in StripTile tile, nint* tapOffsets)
    {
        for (int group = 0; group < _shape.Groups; group++)
        {
            for (int x = 0; x < _geometry.Width.Kernel; x++)
                *tapOffsets++ = (nint)((long)group * tile.StripColumns + (long)x * _geometry.Width.Dilation) * _kernel.ColumnBytes;
        }
    }

    private void Pad(byte* target, int columns) => _kernel.Pad(target, columns, (byte)Data.XZeroPoint);
}
