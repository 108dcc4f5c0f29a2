using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>The attributes of a convolution over one or two spatial axes, with ONNX Conv's meaning and defaults.</summary>
internal sealed class ConvAttributes
{
    private readonly int[] _weightShape;
    private readonly long[] _strides;
    private readonly long[] _dilations;
    private readonly long[] _pads;
    private readonly string _autoPad;
    private readonly bool _isChannelsLast;

    /// <summary>Checks a convolution's attributes.</summary>
    /// <param name="weightShape">[M, C/group, k...], all positive.</param>
    /// <param name="group">The attribute group.</param>
    /// <param name="strides">The attribute strides, or null.</param>
    /// <param name="dilations">The attribute dilations, or null.</param>
    /// <param name="pads">The attribute pads, or null.</param>
    /// <param name="autoPad">The attribute auto_pad.</param>
    /// <param name="isChannelsLast">Whether channels are the last axis of X and Y; else they are the second.</param>
    /// <exception cref="OperatorException">The attributes do not make a convolution.</exception>
    public ConvAttributes(
        int[] weightShape, long group, long[]? strides, long[]? dilations, long[]? pads, string autoPad, bool isChannelsLast = true)
    {
        if (weightShape.Length is not (3 or 4))
            throw new OperatorException(
                Invariant($"attribute 'shape' has {weightShape.Length} dimensions: [M, C/group, k] or [M, C/group, kh, kw] expected"));
        int axes = weightShape.Length - 2;
        if (group < 1 || group > weightShape[0] || weightShape[0] % group != 0)
            throw new OperatorException(
                Invariant($"attribute 'group' is {group}, which does not divide the {weightShape[0]} output channels"));
        if (group * weightShape[1] > int.MaxValue)
            throw new OperatorException("the convolution has more than 2^31 - 1 input channels");
        if (autoPad is not ("NOTSET" or "VALID" or "SAME_UPPER" or "SAME_LOWER"))
            throw new OperatorException($"attribute 'auto_pad' is '{autoPad}': NOTSET, VALID, SAME_UPPER and SAME_LOWER are known");

        _weightShape = weightShape;
        Group = (int)group;
        _strides = Checked(AttributeNames.Strides, strides, axes, 1);
        _dilations = Checked(AttributeNames.Dilations, dilations, axes, 1);
        _pads = Checked(AttributeNames.Pads, autoPad == "NOTSET" ? pads : null, 2 * axes, 0);
        _autoPad = autoPad;
        _isChannelsLast = isChannelsLast;
    }

    /// <summary>Groups.</summary>
    public int Group { get; }

    /// <summary>Spatial axes, 1 or 2.</summary>
    public int Axes => _weightShape.Length - 2;

    /// <summary>Output channels.</summary>
    public int OutputChannels => _weightShape[0];

    /// <summary>Input channels of all groups.</summary>
    public int InputChannels => _weightShape[1] * Group;

    // The first spatial axis and the one of channels.
    private int SpatialAxis => _isChannelsLast ? 1 : 2;

    private int ChannelAxis => _isChannelsLast ? Axes + 1 : 1;

    /// <summary>Reads the attributes of a node.</summary>
    public static ConvAttributes Read(in KernelInfo info, int[] weightShape) => new(
        weightShape,
        info.Int(OperatorAttributes.Group),
        info.OptionalInts(OperatorAttributes.Strides),
        info.OptionalInts(OperatorAttributes.Dilations),
        info.OptionalInts(OperatorAttributes.Pads),
        info.String(OperatorAttributes.AutoPad),
        IsChannelsLast(info.Schema));

    /// <summary>The weight's channel view.</summary>
    /// <exception cref="OperatorException">The kernel has more than 2^31 - 1 positions.</exception>
    public ChannelView View()
    {
        long taps = 1;
        foreach (int k in _weightShape.AsSpan(2))
            taps *= k;
        if (taps > int.MaxValue)
            throw new OperatorException("the kernel has more than 2^31 - 1 positions");
        return new ChannelView(_weightShape[0], _weightShape[1], 1, (int)taps);
    }

    /// <summary>The shape of the convolution's output, as far as X's is known, or null.</summary>
    public static long[]? InferOutputShape(in ShapeInference inference)
    {
        if (inference.InputShape(InputNames.X) is not { } x || inference.Ints(OperatorAttributes.Shape) is not { } shape)
            return null;
        if (x.Length != shape.Length || shape.Any(d => d is < 1 or > int.MaxValue))
            return null;
        ConvAttributes attributes = new(
            Array.ConvertAll(shape, static d => (int)d),
            inference.Int(OperatorAttributes.Group),
            inference.Ints(OperatorAttributes.Strides),
            inference.Ints(OperatorAttributes.Dilations),
            inference.Ints(OperatorAttributes.Pads),
            inference.String(OperatorAttributes.AutoPad),
            IsChannelsLast(inference.Schema));
        for (int axis = 0; axis < attributes.Axes; axis++)
        {
            ref long extent = ref x[attributes.SpatialAxis + axis];
            extent = extent < 0 ? -1 : attributes.Axis(axis, extent).Output;
        }

        x[attributes.ChannelAxis] = attributes.OutputChannels;
        return x;
    }

    /// <summary>The geometry for an input.</summary>
    /// <exception cref="OperatorException">The input does not fit the weight, or the kernel is larger than the padded input.</exception>
    public ConvolutionGeometry Geometry(ReadOnlySpan<long> x)
    {
        if (x.Length != Axes + 2 || x[ChannelAxis] != InputChannels || x[0] > int.MaxValue)
        {
            string spatial = Axes == 2 ? "H, W" : "W";
            string layout = _isChannelsLast ? Invariant($"[N, {spatial}, {InputChannels}] expected (channels last)")
                : Invariant($"[N, {InputChannels}, {spatial}] expected");
            throw new OperatorException($"X has the shape {TensorView.Text(x)}, {layout}");
        }

        ConvolutionAxis width = Axis(Axes - 1, x[SpatialAxis + Axes - 1]);
        ConvolutionAxis height = Axes == 2 ? Axis(0, x[SpatialAxis]) : ConvolutionAxis.Single;
        return new ConvolutionGeometry((int)x[0], height, width, Group, _weightShape[1], OutputChannels);
    }

    /// <summary>The dimensions of a run.</summary>
    /// <param name="x">The shape of X.</param>
    /// <param name="channels">Channels of the output.</param>
    /// <param name="last">Those of the last run, which are returned where they match.</param>
    /// <exception cref="OperatorException">As for <see cref="Geometry"/>.</exception>
    public ConvolutionShape Shape(ReadOnlySpan<long> x, int channels, ConvolutionShape? last)
    {
        if (last is not null && last.Matches(x) && last.Output[ChannelAxis] == channels)
            return last;
        ConvolutionGeometry geometry = Geometry(x);
        long[] spatial = Axes == 2 ? [geometry.Height.Output, geometry.Width.Output] : [geometry.Width.Output];
        long[] output = _isChannelsLast ? [geometry.Batch, .. spatial, channels] : [geometry.Batch, channels, .. spatial];
        return new ConvolutionShape(geometry, x.ToArray(), output);
    }

    /// <summary>The output's extent along an axis.</summary>
    /// <exception cref="OperatorException">The kernel is larger than the padded input.</exception>
    public ConvolutionAxis Axis(int axis, long input)
    {
        int kernel = _weightShape[2 + axis];
        long stride = _strides[axis];
        long span = (kernel - 1) * _dilations[axis] + 1;
        long padBegin = _pads[axis];
        long padEnd = _pads[Axes + axis];
        if (_autoPad.StartsWith("SAME", StringComparison.Ordinal))
        {
            long total = Math.Max(0, ((input + stride - 1) / stride - 1) * stride + span - input);
            padBegin = _autoPad == "SAME_UPPER" ? total / 2 : total - total / 2;
            padEnd = total - padBegin;
        }

        long padded = input + padBegin + padEnd;
        long output = (padded - span) / stride + 1;
        if (input < 1 || span > padded)
            throw new OperatorException(
                Invariant($"the kernel covers {span} positions of axis {axis}, more than the {padded} of the padded input"));
        if (input > int.MaxValue || output > int.MaxValue || padBegin > int.MaxValue)
            throw new OperatorException(Invariant($"axis {axis} has an extent above 2^31 - 1"));
        return new ConvolutionAxis((int)input, kernel, (int)stride, (int)_dilations[axis], (int)padBegin, (int)output);
    }

    // Quantized activations are channels last.
    private static bool IsChannelsLast(OperatorSchema schema) => schema.HasQuantizedInput;

    private static long[] Checked(string name, long[]? values, int count, int least)
    {
        if (values is null)
            return [.. Enumerable.Repeat((long)least, count)];
        if (values.Length != count)
            throw new OperatorException(Invariant($"attribute '{name}' has {values.Length} values, {count} expected"));
        if (values.Any(v => v < least || v > int.MaxValue))
            throw new OperatorException(
                Invariant($"attribute '{name}' {TensorView.Text(values)} has a value outside {least} to 2^31 - 1"));
        return values;
    }
}
