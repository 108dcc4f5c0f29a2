using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Schema;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>
/// The uint8 output of an integer operator: inputs y_scale and y_zero_point, and the attributes clamp_min and
/// clamp_max.
/// </summary>
internal sealed unsafe class QuantizedOutput
{
    private readonly InputSchema _scale, _zeroPoint;
    private readonly int _clampMin, _clampMax;

    /// <summary>Reads and checks the attributes.</summary>
    /// <exception cref="OperatorException">The bounds are not 0 &lt;= clamp_min &lt;= clamp_max &lt;= 255.</exception>
    public QuantizedOutput(in KernelInfo info)
    {
        long clampMin = info.Int(OperatorAttributes.ClampMin);
        long clampMax = info.Int(OperatorAttributes.ClampMax);
        if (clampMin < byte.MinValue || clampMax > byte.MaxValue || clampMin > clampMax)
            throw new OperatorException(
                Invariant($"clamp_min is {clampMin} and clamp_max is {clampMax}: 0 <= clamp_min <= clamp_max <= 255 expected"));
        _scale = info.Schema[InputNames.YScale];
        _zeroPoint = info.Schema[InputNames.YZeroPoint];
        _clampMin = (int)clampMin;
        _clampMax = (int)clampMax;
    }

    /// <summary>Reads and checks the two inputs.</summary>
    /// <exception cref="OperatorException">An input is missing, has the wrong type or length, or the scale is not finite and
    /// positive.</exception>
    public Requantization Bind(in KernelContext context)
    {
        float scale = *context.Input(_scale).Floats(1);
        if (!float.IsFinite(scale) || scale <= 0)
            throw new OperatorException(Invariant($"y_scale is {scale}: a scale is finite and positive"));
        byte zeroPoint = *context.Input(_zeroPoint).Bytes(1);
        return new Requantization(scale, zeroPoint, _clampMin, _clampMax);
    }
}
