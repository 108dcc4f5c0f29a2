using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Schema;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>The activations of an integer operator: the inputs X, x_scale and x_zero_point.</summary>
/// <param name="schema">The operator.</param>
internal sealed unsafe class QuantizedInput(OperatorSchema schema)
{
    private readonly InputSchema _x = schema[InputNames.X];
    private readonly InputSchema _scale = schema[InputNames.XScale];
    private readonly InputSchema _zeroPoint = schema[InputNames.XZeroPoint];

    /// <summary>Reads and checks the activations of one run, all but X's shape.</summary>
    /// <exception cref="OperatorException">An input is missing or has the wrong type, length or values.</exception>
    public QuantizedActivations Bind(in KernelContext context)
    {
        TensorView x = context.Input(_x);
        float scale = *context.Input(_scale).Floats(1);
        if (!float.IsFinite(scale) || scale <= 0)
            throw new OperatorException(Invariant($"x_scale is {scale}: a scale is finite and positive"));
        return new QuantizedActivations(x.Bytes(), x.Shape, scale, *context.Input(_zeroPoint).Bytes(1));
    }
}

/// <summary>The activations of one run of an integer operator.</summary>
internal readonly unsafe ref struct QuantizedActivations(byte* data, ReadOnlySpan<long> shape, float scale, byte zeroPoint)
{
    /// <summary>The quantized activations.</summary>
    public byte* Data { get; } = data;

    /// <summary>Their shape.</summary>
    public ReadOnlySpan<long> Shape { get; } = shape;

    /// <summary>Their scale, finite and positive.</summary>
    public float Scale { get; } = scale;

    /// <summary>Their zero point.</summary>
    public byte ZeroPoint { get; } = zeroPoint;
}
