using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>The inputs of an integer operator that are neither its weight nor its output's: activations and bias.</summary>
/// <param name="schema">The operator.</param>
/// <param name="bits">The levels of its weight.</param>
internal sealed unsafe class QuantizedInput(OperatorSchema schema, NestedBits bits)
{
    private readonly InputSchema _x = schema[InputNames.X];
    private readonly InputSchema _scale = schema[InputNames.XScale];
    private readonly InputSchema _zeroPoint = schema[InputNames.XZeroPoint];
    private readonly InputSchema _bias = schema[InputNames.Bias];
    private readonly PartRows _partBias = new(schema[InputNames.PartBias], bits);

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

    /// <summary>The bias of one run at a level of the weight, or null when there is none.</summary>
    /// <exception cref="OperatorException">It has the wrong type or shape.</exception>
    public float* Bias(in KernelContext context, int channels, int level)
    {
        float* full = context.TryInput(_bias, out TensorView bias) ? bias.Floats(channels) : null;
        float* part = _partBias.Of(context, level, channels);
        return part == null ? full : part;
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
