using System.Globalization;

namespace NestQuant.RuntimeOps.Kernels;

/// <summary>One spatial axis of a convolution (ONNX Conv's attributes).</summary>
/// <param name="Input">Input extent.</param>
/// <param name="Kernel">Kernel extent.</param>
/// <param name="Stride">Stride, at least 1.</param>
/// <param name="Dilation">Dilation, at least 1.</param>
/// <param name="PadBegin">Padding before the first element, at least 0.</param>
/// <param name="Output">Output extent.</param>
internal readonly record struct ConvolutionAxis(int Input, int Kernel, int Stride, int Dilation, int PadBegin, int Output)
{
    /// <summary>An axis of one element and no kernel: what a 1-D convolution and a matrix product have in place of height.</summary>
    public static ConvolutionAxis Single => new(1, 1, 1, 1, 0, 1);

    /// <summary>The axis of a matrix product's rows.</summary>
    public static ConvolutionAxis Rows(int count) => new(count, 1, 1, 1, 0, count);
}

/// <summary>The dimensions of an NHWC convolution; input channels = Groups * ChannelsPerGroup.</summary>
/// <param name="Batch">Images.</param>
/// <param name="Height">The vertical axis.</param>
/// <param name="Width">The horizontal axis.</param>
/// <param name="Groups">Groups of the convolution.</param>
/// <param name="ChannelsPerGroup">Input channels of one group.</param>
/// <param name="OutputChannels">M, a multiple of Groups.</param>
internal sealed record ConvolutionGeometry(int Batch, ConvolutionAxis Height, ConvolutionAxis Width, int Groups, int ChannelsPerGroup, int OutputChannels)
{
    /// <summary>Output positions over the whole batch: the rows of the equivalent matrix product.</summary>
    public int Rows { get; } = CheckedRows(Batch, Height.Output, Width.Output);

    /// <summary>Input channels of all groups: bytes from one input position to the next.</summary>
    public int InputChannels => Groups * ChannelsPerGroup;

    /// <summary>Output channels of one group.</summary>
    public int OutputsPerGroup => OutputChannels / Groups;

    /// <summary>Positions of the kernel.</summary>
    public int Taps => Height.Kernel * Width.Kernel;

    /// <summary>K: the length of one sum.</summary>
    public int ReductionLength => Taps * ChannelsPerGroup;

    private static int CheckedRows(long batch, long height, long width)
    {
        long rows = batch * height;
        if (rows > int.MaxValue || rows * width > int.MaxValue)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"the output has {batch} x {height} x {width} positions, more than 2^31 - 1"));
        return (int)(rows * width);
    }
}
