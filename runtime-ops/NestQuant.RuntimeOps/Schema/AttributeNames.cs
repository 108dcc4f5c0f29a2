using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Schema;

/// <summary>Attributes of the operators in the domain <see cref="NestQuantOps.Domain"/>.</summary>
internal static class AttributeNames
{
    /// <summary>int: n, the bits of the full-precision weight.</summary>
    public const string FullBits = "n";

    /// <summary>int: h, the bits of the part-precision weight.</summary>
    public const string HighBits = "h";

    /// <summary>ints: the bits of all levels, descending; n and h alone when absent.</summary>
    public const string Levels = "levels";

    /// <summary>int: the operands' layout version, <see cref="Packing.NestedLayout.Version"/>.</summary>
    public const string LayoutVersion = "layout_version";

    /// <summary>string: the <see cref="Packing.WeightTag"/> of the operands; from layout version 2 on.</summary>
    public const string WeightTag = "weight_tag";

    /// <summary>ints: the shape of the original weight.</summary>
    public const string Shape = "shape";

    /// <summary>Four ints: the weight's <see cref="Packing.ChannelView"/> [Groups, Inner, Channels, Taps].</summary>
    public const string ChannelView = "channel_view";

    /// <summary>int: groups of a convolution, 1 when absent.</summary>
    public const string Group = "group";

    /// <summary>ints: strides of a convolution, one per spatial axis, 1 when absent.</summary>
    public const string Strides = "strides";

    /// <summary>ints: dilations of a convolution, one per spatial axis, 1 when absent.</summary>
    public const string Dilations = "dilations";

    /// <summary>ints: padding of a convolution, the begin of every spatial axis and then the ends, 0 when absent.</summary>
    public const string Pads = "pads";

    /// <summary>string: NOTSET (the default), VALID, SAME_UPPER or SAME_LOWER, as in ONNX Conv.</summary>
    public const string AutoPad = "auto_pad";

    /// <summary>int: the least quantized result, 0 when absent.</summary>
    public const string ClampMin = "clamp_min";

    /// <summary>int: the greatest quantized result, 255 when absent.</summary>
    public const string ClampMax = "clamp_max";

    /// <summary>int: the axis of the channels, counted from the end, -1 when absent.</summary>
    public const string Axis = "axis";

    /// <summary>ints: for every generated map of GroupNL, the seed map that it comes from, 0 to seeds - 1.</summary>
    public const string Source = "source";

    /// <summary>string: the nonlinear function of GroupNL's generated maps, <see cref="GroupNLFunctions"/>; sine when absent.</summary>
    public const string Function = "function";

    /// <summary>int: the exponent of a monomial, 2 to 16; 3 when absent.</summary>
    public const string Power = "power";

    /// <summary>float: the least norm that GroupNL divides by, positive and normal, 1e-12 when absent.</summary>
    public const string Epsilon = "epsilon";

    /// <summary>int: 1 when channels are the last dimension, 0 (the default) when they are the second.</summary>
    public const string ChannelsLast = "channels_last";

    /// <summary>string: where the positions of a resized axis lie in the source, <see cref="ResizeCoordinates"/>.</summary>
    public const string Coordinates = "coordinate_transformation_mode";

    /// <summary>int: extent of the blocks that channels are interleaved to.</summary>
    public const string BlockSize = "blocksize";

    /// <summary>string: what follows GroupNL, <see cref="ActivationNames"/>; none when absent.</summary>
    public const string Activation = "activation";

    /// <summary>float: lower bound of the activation clip; -infinity when absent.</summary>
    public const string ActivationMin = "activation_min";

    /// <summary>float: upper bound of the activation clip; +infinity when absent.</summary>
    public const string ActivationMax = "activation_max";
}
