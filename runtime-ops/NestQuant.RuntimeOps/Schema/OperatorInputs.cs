using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Schema;

/// <summary>Inputs that several operators have, in the order in which they follow each other.</summary>
internal static class OperatorInputs
{
    /// <summary>The scale and the zero point that follow a uint8 X.</summary>
    public static IReadOnlyList<InputSchema> ActivationParameters { get; } =
    [
        new(InputNames.XScale, ElementType.Float, "scalar", "scale of X, finite and positive"),
        new(InputNames.XZeroPoint, ElementType.UInt8, "scalar", "zero point of X"),
    ];

    /// <summary>A nested weight.</summary>
    public static IReadOnlyList<InputSchema> Weight { get; } =
    [
        new(InputNames.WeightHigh, ElementType.UInt8, "[bytes]", "high operand: h bits of every weight, packed") { IsConstant = true },
        new(InputNames.WeightLow, ElementType.UInt8, "[bytes]", "low operand: the other bits, packed; absent in a part model")
        {
            IsOptional = true,
            IsConstant = true,
        },
        new(InputNames.WeightScale, ElementType.Float, "[M]", "scale per output channel, finite and positive") { IsConstant = true },
        new(InputNames.WeightZeroPoint, ElementType.Int32, "[M]", "zero point per output channel; 0 when absent")
        {
            IsOptional = true,
            IsConstant = true,
        },
    ];

    /// <summary>What is added to a product.</summary>
    public static InputSchema Bias { get; } =
        new(InputNames.Bias, ElementType.Float, "[M]", "bias per output channel; 0 when absent") { IsOptional = true };

    /// <summary>The scale and the zero point of a uint8 output.</summary>
    public static IReadOnlyList<InputSchema> ResultParameters { get; } =
    [
        new(InputNames.YScale, ElementType.Float, "scalar", "scale of Y, finite and positive"),
        new(InputNames.YZeroPoint, ElementType.UInt8, "scalar", "zero point of Y"),
    ];

    /// <summary>GroupNL's parameters.</summary>
    public static IReadOnlyList<InputSchema> Expansion { get; } =
    [
        new(InputNames.Shift, ElementType.Float, "[G]", "shift of every generated map") { IsConstant = true },
        new(InputNames.Period, ElementType.Float, "[G]", "factor of every generated map") { IsConstant = true },
        new(InputNames.MapScale, ElementType.Float, "[Cs + G]", "scale of every map; 1 when absent")
        {
            IsOptional = true,
            IsConstant = true,
        },
        new(InputNames.MapBias, ElementType.Float, "[Cs + G]", "bias of every map; 0 when absent")
        {
            IsOptional = true,
            IsConstant = true,
        },
    ];

    /// <summary>What selects the precision of a run.</summary>
    public static InputSchema Bits { get; } =
        new(InputNames.Bits, ElementType.Int32, "scalar", "precision of the run, at least 1; see [precision.md](precision.md)");

    /// <summary>The scale of a weight below full precision, one row for every level but the first, in descending order.</summary>
    public static InputSchema PartScale { get; } = new(
        InputNames.PartScale,
        ElementType.Float,
        "[levels - 1, M]",
        "w_scale of every level below full; w_scale itself when absent")
    {
        IsOptional = true,
        IsConstant = true,
    };

    /// <summary>The bias below full precision, one row for every level but the first, in descending order.</summary>
    public static InputSchema PartBias { get; } = new(
        InputNames.PartBias,
        ElementType.Float,
        "[levels - 1, M]",
        "B of every level below full; B itself when absent")
    {
        IsOptional = true,
        IsConstant = true,
    };

    /// <summary>The low operands of weights of more than two levels, those of the second and further steps.</summary>
    public static IReadOnlyList<InputSchema> Steps { get; } =
    [
        .. Enumerable.Range(2, NestedBits.MostLevels - 2).Select(static step => new InputSchema(
            InputNames.WeightStep(step),
            ElementType.UInt8,
            "[bytes]",
            $"low operand of step {step}, for more than {step} levels")
        {
            IsOptional = true,
            IsConstant = true,
        }),
    ];

    /// <summary>What follows the operands of every nested operator with a bias.</summary>
    public static IReadOnlyList<InputSchema> Precision { get; } = [Bits, PartScale, PartBias, .. Steps];

    /// <summary>What is added to the result of a convolution before its bounds apply.</summary>
    public static InputSchema Addend { get; } = new(
        InputNames.Addend,
        ElementType.Float,
        "that of Y",
        "added to the result, rounded on its own, before bounds apply; nothing when absent")
    {
        IsOptional = true,
    };

    /// <summary>The inputs of a float operator with a nested weight, without <see cref="Bits"/>.</summary>
    /// <param name="shape">The shape of X.</param>
    public static IReadOnlyList<InputSchema> FloatProduct(string shape) =>
        [new(InputNames.X, ElementType.Float, shape, "activations"), .. Weight, Bias];

    /// <summary>The inputs of an integer operator with a nested weight, without <see cref="Bits"/>.</summary>
    /// <param name="shape">The shape of X.</param>
    public static IReadOnlyList<InputSchema> Product(string shape) =>
        [new(InputNames.X, ElementType.UInt8, shape, "quantized activations"), .. ActivationParameters, .. Weight, Bias];
}
