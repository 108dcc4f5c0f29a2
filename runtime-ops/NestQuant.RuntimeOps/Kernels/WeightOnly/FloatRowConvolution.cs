using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Kernels.Floats;
using NestQuant.RuntimeOps.Kernels.Tiers;

namespace NestQuant.RuntimeOps.Kernels.WeightOnly;

/// <summary>
/// A convolution of floats over a small map, as a product of rows: the inputs of each output position, channels last. Weights are then the
/// right side, which is decoded faster, and all channels of a position fill vectors however few positions there are.
/// </summary>
internal sealed unsafe class FloatRowConvolution
{
    /// <summary>The name of the implementation.</summary>
    public const string Name = "float-rows";

    private const int MostPositions = 128;

    private readonly ConvolutionGeometry _geometry;
    private readonly int _lines, _columns;
    private readonly int _positions;
    private float* _x;
    private float* _pixels;
    private float* _rows;

    private FloatRowConvolution(ConvolutionGeometry geometry)
    {
        _geometry = geometry;
        _lines = checked((int)geometry.Height.Extent(geometry.Height.Output));
        _columns = checked((int)geometry.Width.Extent(geometry.Width.Output));
        _positions = geometry.Height.Output * geometry.Width.Output;
    }

    private long ImagePixels => (long)_lines * _columns * _geometry.InputChannels;

    /// <summary>Whether this is the faster way.</summary>
    public static bool Suits(ConvolutionGeometry geometry) =>
        geometry.Groups == 1 && geometry.Height.Output * (long)geometry.Width.Output <= MostPositions;

    /// <summary>Computes the whole output; see <see cref="FloatConvolution"/>.</summary>
    public static void Run(
        KernelTier tier,
        int threads,
        ConvolutionGeometry geometry,
        in PanelSource weights,
        in ChannelFactors factors,
        ClipBounds bounds,
        float* x,
        float* y,
        ParallelLoop loop)
    {
        FloatRowConvolution convolution = new(geometry);
        using Scratch pixels = new(convolution.ImagePixels * geometry.Batch * sizeof(float));
        using Scratch rows = new(geometry.IsPointwise ? 0 : (long)geometry.Rows * geometry.ReductionLength * sizeof(float));
        convolution._x = x;
        convolution._pixels = (float*)pixels.Address;
        convolution._rows = geometry.IsPointwise ? convolution._pixels : (float*)rows.Address;
        loop.Run(geometry.Batch * convolution._lines, convolution.CopyLine);
        if (!geometry.IsPointwise)
            loop.Run(geometry.Batch * geometry.Height.Output, convolution.GatherLine);
        FloatProduct.Run(
            tier, threads, weights, factors, bounds, convolution._rows, geometry.Rows, y, loop, convolution._positions);
    }

    /// <summary>Copies a line, padding included, with channels last.</summary>
    private void CopyLine(int index)
    {
        // In bounds: the columns from first to end are those of the input, and all others are zeros.
        (int image, int line) = Math.DivRem(index, _lines);
        int channels = _geometry.InputChannels, source = line - _geometry.Height.PadBegin;
        float* target = _pixels + (nint)index * _columns * channels;
        if (source < 0 || source >= _geometry.Height.Input)
        {
            new Span<float>(target, checked(_columns * channels)).Clear();
            return;
        }

        ConvolutionAxis width = _geometry.Width;
        int first = Math.Min(width.PadBegin, _columns), end = (int)Math.Clamp((long)width.PadBegin + width.Input, first, _columns);
        new Span<float>(target, checked(first * channels)).Clear();
        nint plane = (nint)_geometry.Height.Input * width.Input;
        float* from = _x + image * channels * plane + (nint)source * width.Input;
        Transposition.Run(from, plane, channels, end - first, target + (nint)first * channels, channels);
        new Span<float>(target + (nint)end * channels, checked((_columns - end) * channels)).Clear();
    }

    /// <summary>Gathers the rows of one line of outputs.</summary>
    private void GatherLine(int index)
    {
        // In bounds: taps of outputs lie within the padded lines and columns.
        (int image, int outputLine) = Math.DivRem(index, _geometry.Height.Output);
        int channels = _geometry.InputChannels;
        ConvolutionAxis height = _geometry.Height, width = _geometry.Width;
        float* pixels = _pixels + image * (nint)ImagePixels;
        float* row = _rows + (nint)index * width.Output * _geometry.ReductionLength;
        for (int column = 0; column < width.Output; column++)
        {
            for (int tap = 0; tap < _geometry.Taps; tap++, row += channels)
            {
                (int tapLine, int tapColumn) = Math.DivRem(tap, width.Kernel);
                nint line = (nint)outputLine * height.Stride + tapLine * height.Dilation;
                nint pixel = line * _columns + (nint)column * width.Stride + tapColumn * width.Dilation;
                new ReadOnlySpan<float>(pixels + pixel * channels, channels).CopyTo(new Span<float>(row, channels));
            }
        }
    }
}
