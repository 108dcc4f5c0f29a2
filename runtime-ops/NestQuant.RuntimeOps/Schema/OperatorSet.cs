using NestQuant.RuntimeOps.Operators;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Schema;

/// <summary>The operators of the domain.</summary>
internal static class OperatorSet
{
    /// <summary>The domain.</summary>
    public const string Domain = "com.nestquant";

    /// <summary>Its version.</summary>
    public const int Version = 1;

    private const string Nhwc = "[N, H, W, C] or [N, W, C]";

    public static OperatorSchema NestedDequantizeLinear { get; } = new(
        OperatorNames.NestedDequantizeLinear,
        "The float form of a nested weight, whose channels lie as channel_view says. Compare ONNX DequantizeLinear.",
        [.. OperatorInputs.Weight, OperatorInputs.Bits, OperatorInputs.PartScale, .. OperatorInputs.Steps],
        [.. OperatorAttributes.Weight, OperatorAttributes.ChannelView],
        new OutputSchema(ElementType.Float, "the attribute shape"));

    public static OperatorSchema NestedBias { get; } = new(
        OperatorNames.NestedBias,
        "The bias that goes with a weight-only layer's level: B at full precision, the level's row of part_bias below it.",
        [
            new InputSchema(InputNames.Bias, ElementType.Float, "[M]", "bias per output channel; -0 when absent, which adds nothing")
            {
                IsOptional = true,
            },
            OperatorInputs.Bits,
            OperatorInputs.PartBias with { IsOptional = false },
        ],
        [OperatorAttributes.FullBits, OperatorAttributes.HighBits, OperatorAttributes.Levels],
        new OutputSchema(ElementType.Float, "[M]"));

    public static OperatorSchema NestedConv { get; } = new(
        OperatorNames.NestedConv,
        "Convolution over one or two spatial axes, channels last; shape is [M, C/group, k...]. Compare ONNX ConvInteger.",
        [.. OperatorInputs.Product(Nhwc), .. OperatorInputs.Precision],
        [.. OperatorAttributes.Weight, .. OperatorAttributes.Convolution],
        new OutputSchema(ElementType.Float, "[N, H', W', M] or [N, W', M]"));

    public static OperatorSchema NestedGemm { get; } = new(
        OperatorNames.NestedGemm,
        "Matrix product; shape is [K, M] with channel_view [1, K, M, 1], or [M, K] with [M, K, 1, 1]. Compare ONNX MatMulInteger.",
        [.. OperatorInputs.Product("[..., K]"), .. OperatorInputs.Precision],
        [.. OperatorAttributes.Weight, OperatorAttributes.ChannelView],
        new OutputSchema(ElementType.Float, "[..., M]"));

    public static OperatorSchema GroupNLExpand { get; } = new(
        OperatorNames.GroupNLExpand,
        "The Cs seed maps, normalised, and G maps generated from them; then scale, bias and activation.",
        [
            new InputSchema(InputNames.X, ElementType.Float, "[N, Cs, ...], or [N, ..., Cs] channels last", "seed maps"),
            .. OperatorInputs.Expansion,
        ],
        [.. OperatorAttributes.Expansion, OperatorAttributes.ChannelsLast],
        new OutputSchema(ElementType.Float, "that of X, with Cs + G maps"));

    public static OperatorSchema NestedGroupNLConv { get; } = new(
        OperatorNames.NestedGroupNLConv,
        "NestedConv, whose M = Cs channels are the seed maps, followed by a GroupNLExpand that is channels last.",
        [.. OperatorInputs.Product(Nhwc), .. OperatorInputs.Expansion, .. OperatorInputs.Precision],
        [.. OperatorAttributes.Weight, .. OperatorAttributes.Convolution, .. OperatorAttributes.Expansion],
        new OutputSchema(ElementType.Float, "[N, H', W', M + G] or [N, W', M + G]"));

    public static OperatorSchema NestedQLinearConv { get; } = new(
        OperatorNames.NestedQLinearConv,
        "NestedConv with a quantized result. Compare ONNX QLinearConv.",
        [.. OperatorInputs.Product(Nhwc), .. OperatorInputs.ResultParameters, .. OperatorInputs.Precision],
        [.. OperatorAttributes.Weight, .. OperatorAttributes.Convolution, .. OperatorAttributes.Clamp],
        new OutputSchema(ElementType.UInt8, "[N, H', W', M] or [N, W', M]"));

    public static OperatorSchema NestedQLinearGemm { get; } = new(
        OperatorNames.NestedQLinearGemm,
        "NestedGemm with a quantized result. Compare ONNX QLinearMatMul.",
        [.. OperatorInputs.Product("[..., K]"), .. OperatorInputs.ResultParameters, .. OperatorInputs.Precision],
        [.. OperatorAttributes.Weight, OperatorAttributes.ChannelView, .. OperatorAttributes.Clamp],
        new OutputSchema(ElementType.UInt8, "[..., M]"));

    public static OperatorSchema QLinearLookup { get; } = new(
        OperatorNames.QLinearLookup,
        "Any function of one quantized value: Y = table[X].",
        [
            new InputSchema(InputNames.X, ElementType.UInt8, "any", "quantized values"),
            new InputSchema(InputNames.Table, ElementType.UInt8, "[256]", "the result for every value") { IsConstant = true },
        ],
        [OperatorAttributes.TableFunction],
        new OutputSchema(ElementType.UInt8, "that of X"));

    public static OperatorSchema QLinearAffine { get; } = new(
        OperatorNames.QLinearAffine,
        "An affine function of every channel, and PRelu of it: v = X * scale + bias; Y = v < 0 ? v * slope : v. Compare ONNX PRelu.",
        [
            new InputSchema(InputNames.X, ElementType.UInt8, "[..., C, ...]", "quantized values"),
            .. OperatorInputs.ActivationParameters,
            PerChannel(InputNames.ChannelScale, "factor of every channel; 1 when absent"),
            PerChannel(InputNames.ChannelBias, "what is added to every channel; 0 when absent"),
            PerChannel(InputNames.Slope, "factor of negative results of every channel; 1 when absent"),
            .. OperatorInputs.ResultParameters,
        ],
        [OperatorAttributes.Axis, .. OperatorAttributes.Clamp],
        new OutputSchema(ElementType.UInt8, "that of X"));

    public static OperatorSchema NestedGather { get; } = new(
        OperatorNames.NestedGather,
        "Rows of a nested table, decoded on demand; channel_view is [rows, values of a row, 1, 1]. Compare ONNX Gather.",
        [
            new InputSchema(InputNames.Indices, ElementType.Int64, "any", "rows; negative ones count from the end")
            {
                OtherType = ElementType.Int32,
            },
            .. OperatorInputs.Weight,
            OperatorInputs.Bits,
            OperatorInputs.PartScale,
            .. OperatorInputs.Steps,
        ],
        [.. OperatorAttributes.Weight, OperatorAttributes.ChannelView],
        new OutputSchema(ElementType.Float, "that of indices, and then that of a row"));

    public static OperatorSchema NestedFloatConv { get; } = new(
        OperatorNames.NestedFloatConv,
        "NestedConv of activations that are float and channels second, as in ONNX Conv: weight-only.",
        [.. OperatorInputs.FloatProduct("[N, C, H, W] or [N, C, W]"), .. OperatorInputs.Precision, OperatorInputs.Addend],
        [.. OperatorAttributes.Weight, .. OperatorAttributes.Convolution, .. OperatorAttributes.Bounds],
        new OutputSchema(ElementType.Float, "[N, M, H', W'] or [N, M, W']"));

    public static OperatorSchema NestedFloatGemm { get; } = new(
        OperatorNames.NestedFloatGemm,
        "NestedGemm of activations that are float: weight-only. Compare ONNX MatMul and Gemm.",
        [.. OperatorInputs.FloatProduct("[..., K]"), .. OperatorInputs.Precision],
        [.. OperatorAttributes.Weight, OperatorAttributes.ChannelView, .. OperatorAttributes.Bounds],
        new OutputSchema(ElementType.Float, "[..., M]"));

    public static OperatorSchema QLinearResize { get; } = new(
        OperatorNames.QLinearResize,
        "Bilinear interpolation, channels last, rounded to nearest. Y has the scale and zero point of X. Compare ONNX Resize.",
        [
            new InputSchema(InputNames.X, ElementType.UInt8, "[N, H, W, C]", "quantized maps"),
            new InputSchema(InputNames.Scales, ElementType.Float, "[2]", "scales of H and W; absent where sizes are given")
            {
                IsOptional = true,
                IsConstant = true,
            },
            new InputSchema(InputNames.Sizes, ElementType.Int64, "[2]", "H' and W'; absent where scales are given")
            {
                IsOptional = true,
                IsConstant = true,
            },
        ],
        [OperatorAttributes.Coordinates],
        new OutputSchema(ElementType.UInt8, "[N, H', W', C]"));

    public static OperatorSchema NhwcDepthToSpace { get; } = new(
        OperatorNames.NhwcDepthToSpace,
        "Channels that are the places of a block, interleaved, channels last. Compare ONNX DepthToSpace, mode DCR.",
        [new InputSchema(InputNames.X, ElementType.UInt8, "[N, H, W, b * b * C]", "quantized maps, the place in the block first")],
        [OperatorAttributes.BlockSize],
        new OutputSchema(ElementType.UInt8, "[N, b * H, b * W, C]"));

    /// <summary>All operators, in the order in which they are registered.</summary>
    public static IReadOnlyList<OperatorSchema> All { get; } =
    [
        NestedDequantizeLinear,
        NestedConv,
        NestedGemm,
        GroupNLExpand,
        NestedGroupNLConv,
        NestedQLinearConv,
        NestedQLinearGemm,
        QLinearLookup,
        NestedBias,
        NestedGather,
        NestedFloatConv,
        NestedFloatGemm,
        QLinearResize,
        NhwcDepthToSpace,
        QLinearAffine,
    ];

    private static readonly Dictionary<string, OperatorSchema> ByName =
        All.ToDictionary(static schema => schema.Name, StringComparer.Ordinal);

    /// <summary>The operator of a type; null when there is none.</summary>
    public static OperatorSchema? Find(string name) => ByName.GetValueOrDefault(name);

    private static InputSchema PerChannel(string name, string meaning) =>
        new(name, ElementType.Float, "[C]", meaning) { IsOptional = true, IsConstant = true };
}
