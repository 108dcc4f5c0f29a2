using static System.FormattableString;

namespace NestQuant.RuntimeOps.Kernels.Convolutions;

/// <summary>One spatial axis of a convolution (ONNX Conv's attributes).</summary>
/// <param name="Input">Input extent.</param>
/// <param name="Kernel">Kernel extent.</param>
/// <param name="Stride">Stride, at least 1.</param>
/// <param name="Dilation">Dilation, at least 1.</param>
/// <param name="PadBegin">Padding before the first element, at least 0.</param>
/// <param name="Output">Output extent.</param>
internal readonly record struct ConvolutionAxis(int Input, int Kernel, int Stride, int Dilation, int PadBegin, int Output)
{
    /// <summary>An axis of one element and no kernel: the height of a 1-D convolution and of a matrix product.</summary>
    public static ConvolutionAxis Single => new(1, 1, 1, 1, 0, 1);

    /// <summary>The axis of a matrix product's rows.</summary>
    public static ConvolutionAxis Rows(int count) => new(count, 1, 1, 1, 0, count);

    /// <summary>Input positions under neighbouring outputs, padding included.</summary>
    /// <param name="outputs">How many outputs, 1 or more.</param>
    public long Extent(int outputs) => (outputs - 1L) * Stride + (Kernel - 1L) * Dilation + 1;

    /// <summary>The taps that fall inside the input when tap 0 is at <paramref name="start"/>, which may be negative.</summary>
    /// <returns>The first tap inside and the tap after the last one; equal when there is none.</returns>
    public (int First, int End) TapsInside(long start)
    {
        long first = start >= 0 ? 0 : (-start + Dilation - 1) / Dilation;
        long end = start >= Input ? 0 : (Input - start + Dilation - 1) / Dilation;
        first = Math.Min(first, Kernel);
        return ((int)first, (int)Math.Clamp(end, first, Kernel));
    }
}

/// <summary>The dimensions of an NHWC convolution; input channels = Groups * ChannelsPerGroup.</summary>
/// <param name="batch">Images.</param>
/// <param name="height">The vertical axis.</param>
/// <param name="width">The horizontal axis.</param>
/// <param name="groups">Groups of the convolution.</param>
/// <param name="channelsPerGroup">Input channels of one group.</param>
/// <param name="outputChannels">M, a multiple of the groups.</param>
internal sealed class ConvolutionGeometry(
    int batch, ConvolutionAxis height, ConvolutionAxis width, int groups, int channelsPerGroup, int outputChannels)
{
    /// <summary>The vertical axis.</summary>
    public readonly ConvolutionAxis Height = height;

    /// <summary>The horizontal axis.</summary>
    public readonly ConvolutionAxis Width = width;

    /// <summary>Images.</summary>
    public int Batch { get; } = batch;

    /// <summary>Groups of the convolution.</summary>
    public int Groups { get; } = groups;

    /// <summary>Input channels of one group.</summary>
    public int ChannelsPerGroup { get; } = channelsPerGroup;

    /// <summary>M, a multiple of <see cref="Groups"/>.</summary>
    public int OutputChannels { get; } = outputChannels;

    /// <summary>Output positions over the whole batch: the rows of the equivalent matrix product.</summary>
    public int Rows { get; } = CheckedRows(batch, height.Output, width.Output);

    /// <summary>Input channels of all groups: bytes from one input position to the next.</summary>
    public int InputChannels => Groups * ChannelsPerGroup;

    /// <summary>Output channels of one group.</summary>
    public int OutputsPerGroup => OutputChannels / Groups;

    /// <summary>Positions of the kernel.</summary>
    public int Taps => Height.Kernel * Width.Kernel;

    /// <summary>K: the number of products per output element.</summary>
    public int ReductionLength => Taps * ChannelsPerGroup;

    /// <summary>Whether the rows of the equivalent matrix product can be read from the input in place: 1x1, no stride, no
    /// padding.</summary>
    public bool IsPointwise => IsPointwiseAlong(Height) && IsPointwiseAlong(Width);

    /// <summary>
    /// The same convolution with every <paramref name="bundle"/> neighbouring groups as one, with weights of 0 between groups.
    /// </summary>
    public ConvolutionGeometry Bundled(int bundle) =>
        bundle == 1 ? this : new ConvolutionGeometry(Batch, Height, Width, Groups / bundle, ChannelsPerGroup * bundle, OutputChannels);

    /// <summary>Whether the other has the same dimensions.</summary>
    public bool HasSameDimensions(ConvolutionGeometry other) =>
        ReferenceEquals(this, other)
        || (Batch == other.Batch && Height == other.Height && Width == other.Width && Groups == other.Groups
            && ChannelsPerGroup == other.ChannelsPerGroup && OutputChannels == other.OutputChannels);

    /// <summary>The dimensions for logs and messages: "3x3 convolution of 1x56x56x64 to 56x56x64, stride 1x1, 1 group".</summary>
    public override string ToString() => Invariant(
        $"{Height.Kernel}x{Width.Kernel} convolution of {Batch}x{Height.Input}x{Width.Input}x{InputChannels} to ")
        + Invariant($"{Height.Output}x{Width.Output}x{OutputChannels}, stride {Height.Stride}x{Width.Stride}, {Groups} groups");

    private static bool IsPointwiseAlong(in ConvolutionAxis axis) =>
        axis is { Kernel: 1, Stride: 1, PadBegin: 0 } && axis.Output == axis.Input;

    private static int CheckedRows(long batch, long height, long width)
    {
        long rows = batch * height;
        if (rows > int.MaxValue || rows * width > int.MaxValue)
            throw new ArgumentException(Invariant($"the output has {batch} x {height} x {width} positions, more than 2^31 - 1"));
        return (int)(rows * width);
    }
}
