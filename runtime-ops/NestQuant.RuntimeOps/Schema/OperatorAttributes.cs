using NestQuant.RuntimeOps.Kernels.GroupNL.Functions;
using NestQuant.RuntimeOps.Packing;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Schema;

/// <summary>The attributes of the operators, with their defaults.</summary>
internal static class OperatorAttributes
{
    public static IntAttribute FullBits { get; } =
        new(AttributeNames.FullBits, "3 to 8", "n, bits of the full-precision weight") { IsRequired = true };

    public static IntAttribute HighBits { get; } =
        new(AttributeNames.HighBits, "2 to n - 1", "h, bits of the part-precision weight") { IsRequired = true };

    public static IntsAttribute Levels { get; } =
        new(AttributeNames.Levels, "descending from n to h", "bits of all levels", Default: "n, h");

    public static IntAttribute LayoutVersion { get; } =
        new(AttributeNames.LayoutVersion, "1 to 4", "version of the operands' [layout](operand-format.md)") { IsRequired = true };

    public static StringAttribute WeightTag { get; } = new(
        AttributeNames.WeightTag,
        "16 lower-case hexadecimal digits",
        "[tag](operand-format.md#trailer-and-tag); required from layout 2 on");

    public static IntsAttribute Shape { get; } =
        new(AttributeNames.Shape, "1 to 2^31 - 1 each", "shape of the weight") { IsRequired = true };

    public static IntsAttribute ChannelView { get; } =
        new(AttributeNames.ChannelView, "four, with the elements of shape", "the weight as [groups, inner, channels, taps]")
        {
            IsRequired = true,
        };

    public static IntAttribute Group { get; } = new(AttributeNames.Group, "divides M", "groups of the convolution", Default: 1);

    public static IntsAttribute Strides { get; } =
        new(AttributeNames.Strides, "at least 1", "strides, one per spatial axis", Default: "1 each");

    public static IntsAttribute Dilations { get; } =
        new(AttributeNames.Dilations, "at least 1", "dilations, one per spatial axis", Default: "1 each");

    public static IntsAttribute Pads { get; } =
        new(AttributeNames.Pads, "at least 0", "padding at the start of every spatial axis, then at the ends", Default: "0 each");

    public static StringAttribute AutoPad { get; } =
        new(AttributeNames.AutoPad, "NOTSET, VALID, SAME_UPPER, SAME_LOWER", "as in ONNX Conv", Default: "NOTSET");

    public static IntAttribute ClampMin { get; } =
        new(AttributeNames.ClampMin, "0 to clamp_max", "least quantized result", Default: byte.MinValue);

    public static IntAttribute ClampMax { get; } =
        new(AttributeNames.ClampMax, "clamp_min to 255", "greatest quantized result", Default: byte.MaxValue);

    public static IntsAttribute Source { get; } =
        new(AttributeNames.Source, "0 to Cs - 1 each", "for every generated map, the seed map that it comes from") { IsRequired = true };

    public static StringAttribute Function { get; } = new(
        AttributeNames.Function, string.Join(", ", GroupNLFunctions.All), "what generates maps", Default: GroupNLFunctions.Sine);

    public static IntAttribute Power { get; } = new(
        AttributeNames.Power,
        Invariant($"{GroupNLFunctions.LeastPower} to {GroupNLFunctions.GreatestPower}"),
        "exponent of a monomial",
        GroupNLFunctions.DefaultPower);

    public static FloatAttribute Epsilon { get; } =
        new(AttributeNames.Epsilon, "finite, at least 2^-126", "least norm that is divided by", Default: 1e-12f);

    public static IntAttribute ChannelsLast { get; } =
        new(AttributeNames.ChannelsLast, "0, 1", "1 when channels are the last axis, 0 when they are the second");

    public static StringAttribute Activation { get; } = new(
        AttributeNames.Activation,
        $"{ActivationNames.None}, {ActivationNames.Clip}, {ActivationNames.HardSwish}",
        "what follows the expansion",
        ActivationNames.None);

    public static FloatAttribute ActivationMin { get; } =
        new(AttributeNames.ActivationMin, "at most activation_max", "lower bound of a clip", float.NegativeInfinity);

    public static FloatAttribute ActivationMax { get; } =
        new(AttributeNames.ActivationMax, "at least activation_min", "upper bound of a clip", float.PositiveInfinity);

    public static IntAttribute Axis { get; } =
        new(AttributeNames.Axis, "-rank to -1", "axis of the channels, counted from the end", Default: -1);

    /// <summary>What a lookup table was made from.</summary>
    public static StringAttribute TableFunction { get; } =
        new(AttributeNames.Function, "any", "the function as text, for export; the kernel does not read it");

    public static StringAttribute Coordinates { get; } = new(
        AttributeNames.Coordinates, string.Join(", ", ResizeCoordinates.All), "as in ONNX Resize", Default: ResizeCoordinates.HalfPixel);

    public static IntAttribute BlockSize { get; } =
        new(AttributeNames.BlockSize, "1 to 1024", "b, the extent of a block") { IsRequired = true };

    /// <summary>Attributes of every nested operator.</summary>
    public static IReadOnlyList<AttributeSchema> Weight { get; } = [FullBits, HighBits, Levels, LayoutVersion, WeightTag, Shape];

    /// <summary>Attributes that a convolution has in ONNX too, with the same meaning.</summary>
    public static IReadOnlyList<AttributeSchema> Convolution { get; } = [Group, Strides, Dilations, Pads, AutoPad];

    /// <summary>Attributes of an operator with a uint8 output.</summary>
    public static IReadOnlyList<AttributeSchema> Clamp { get; } = [ClampMin, ClampMax];

    /// <summary>Attributes of an operator with a float output that may be bounded.</summary>
    public static IReadOnlyList<AttributeSchema> Bounds { get; } = [ActivationMin, ActivationMax];

    /// <summary>Attributes of GroupNL's expansion, in either order of axes.</summary>
    public static IReadOnlyList<AttributeSchema> Expansion { get; } =
        [Source, Function, Power, Epsilon, Activation, ActivationMin, ActivationMax];
}
