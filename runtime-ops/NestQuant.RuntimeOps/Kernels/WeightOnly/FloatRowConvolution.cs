using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Kernels.Floats;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.WeightOnly;

/// <summary>
/// A convolution of floats over a small map, as a product of rows: the inputs of each output position, channels last. Weights are then the
/// right side, which is decoded faster, and all channels of a position fill vectors however few positions there are.
/// </summary>
internal sealed unsafe class FloatRowConvolution : FloatPlan
{
    private const int MostPositions = 128;

    private readonly Action<int> _copyLine, _gatherLine;
    private readonly FloatProduct _product;
    private readonly int _lines, _columns;
    private float* _pixels;
    private float* _rows;

    /// <summary>Prepares the runs of one shape; see <see cref="FloatConvolution"/>.</summary>
    public FloatRowConvolution(KernelTier tier, int threads, ConvolutionGeometry geometry, NestedLayout layout, ClipBounds bounds)
        : base(tier, geometry, bounds)
    {
        (_copyLine, _gatherLine) = (CopyLine, GatherLine);
        _lines = checked((int)geometry.Height.Extent(geometry.Height.Output));
        _columns = checked((int)geometry.Width.Extent(geometry.Width.Output));
        _product = new FloatProduct(
            tier, threads, geometry, layout, bounds, planeLength: geometry.Height.Output * geometry.Width.Output);
    }

    /// <inheritdoc/>
    public override string Name => "float-rows";

    private long ImagePixels => (long)_lines * _columns * Geometry.InputChannels;

    /// <summary>Whether this is the faster way.</summary>
    public static bool Suits(ConvolutionGeometry geometry) =>
        geometry.Groups == 1 && geometry.Height.Output * (long)geometry.Width.Output <= MostPositions;

    /// <inheritdoc/>
    protected override void Run(ParallelLoop loop)
    {
        bool isPointwise = Geometry.IsPointwise;
        using Scratch pixels = new(ImagePixels * Geometry.Batch * sizeof(float));
        using Scratch rows = new(isPointwise ? 0 : (long)Geometry.Rows * Geometry.ReductionLength * sizeof(float));
        _pixels = (float*)pixels.Address;
        _rows = isPointwise ? _pixels : (float*)rows.Address;
        loop.Run(Geometry.Batch * _lines, _copyLine);
        if (!isPointwise)
            loop.Run(Geometry.Batch * Geometry.Height.Output, _gatherLine);
        _product.Run(Weights, Factors, _rows, Addend, Y, loop);
    }

    /// <summary>Copies a line, padding included, with channels last.</summary>
    private void CopyLine(int index)
    {
        // In bounds: the columns from first to end are those of the input, and all others are zeros.
        (int image, int line) = Math.DivRem(index, _lines);
        int channels = Geometry.InputChannels, source = line - Geometry.Height.PadBegin;
        float* target = _pixels + (nint)index * _columns * channels;
        if (source < 0 || source >= Geometry.Height.Input)
        {
            new Span<float>(target, checked(_columns * channels)).Clear();
            return;
        }

        ConvolutionAxis width = Geometry.Width;
        int first = Math.Min(width.PadBegin, _columns), end = (int)Math.Clamp((long)width.PadBegin + width.Input, first, _columns);
        new Span<float>(target, checked(first * channels)).Clear();
        nint plane = (nint)Geometry.Height.Input * width.Input;
        float* from = X + image * channels * plane + (nint)source * width.Input;
        Transposition.Run(from, plane, channels, end - first, target + (nint)first * channels, channels);
        new Span<float>(target + (nint)end * channels, checked((_columns - end) * channels)).Clear();
    }

    /// <summary>Gathers the rows of one line of outputs.</summary>
    private void GatherLine(int index)
    {
        // In bounds: taps of outputs lie within the padded lines and columns.
        (int image, int outputLine) = Math.DivRem(index, Geometry.Height.Output);
        int channels = Geometry.InputChannels;
        ConvolutionAxis height = Geometry.Height, width = Geometry.Width;
        float* pixels = _pixels + image * (nint)ImagePixels;
        float* row = _rows + (nint)index * width.Output * Geometry.ReductionLength;
        for (int column = 0; column < width.Output; column++)
        {
            for (int tap = 0; tap < Geometry.Taps; tap++, row += channels)
            {
                (int tapLine, int tapColumn) = Math.DivRem(tap, width.Kernel);
                nint line = (nint)outputLine * height.Stride + tapLine * height.Dilation;
                nint pixel = line * _columns + (nint)column * width.Stride + tapColumn * width.Dilation;
                new ReadOnlySpan<float>(pixels + pixel * channels, channels).CopyTo(new Span<float>(row, channels));
            }
        }
    }
}
