using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>
/// The uint8 output of an integer operator: inputs y_scale and y_zero_point, the last two before bits, and the attributes
/// clamp_min and clamp_max.
/// </summary>
internal sealed unsafe class QuantizedOutput
{
    /// <summary>Position of y_scale in <see cref="Declaration"/>.</summary>
    private const int ScaleInput = QuantizedInput.BitsInput;

    /// <summary>Position of bits in <see cref="Declaration"/>.</summary>
    public const int BitsInput = ScaleInput + 2;

    private readonly int _clampMin;
    private readonly int _clampMax;

    /// <summary>Reads and checks the attributes.</summary>
    /// <exception cref="OperatorException">The bounds are not 0 &lt;= clamp_min &lt;= clamp_max &lt;= 255.</exception>
    public QuantizedOutput(in KernelInfo info)
    {
        long clampMin = info.Int(AttributeNames.ClampMin, byte.MinValue);
        long clampMax = info.Int(AttributeNames.ClampMax, byte.MaxValue);
        if (clampMin < byte.MinValue || clampMax > byte.MaxValue || clampMin > clampMax)
            throw new OperatorException(
                Invariant($"clamp_min is {clampMin} and clamp_max is {clampMax}: 0 <= clamp_min <= clamp_max <= 255 expected"));
        _clampMin = (int)clampMin;
        _clampMax = (int)clampMax;
    }

    /// <summary>The declaration of the inputs of an integer operator with a uint8 output.</summary>
    public static IReadOnlyList<OperatorInput> Declaration { get; } =
    [
        .. QuantizedInput.Declaration.Take(ScaleInput),
        new("y_scale", ElementType.Float),
        new("y_zero_point", ElementType.UInt8),
        QuantizedInput.Declaration[QuantizedInput.BitsInput],
    ];

    /// <summary>Reads and checks the two inputs.</summary>
    /// <exception cref="OperatorException">An input is missing, has the wrong type or length, or the scale is not finite and
    /// positive.</exception>
    public Requantization Bind(in KernelContext context)
    {
        float scale = *context.Input(ScaleInput, "y_scale").Floats(1);
        if (!float.IsFinite(scale) || scale <= 0)
            throw new OperatorException(Invariant($"y_scale is {scale}: a scale is finite and positive"));
        byte zeroPoint = *context.Input(ScaleInput + 1, "y_zero_point").Bytes(1);
        return new Requantization(scale, zeroPoint, _clampMin, _clampMax);
    }
}
