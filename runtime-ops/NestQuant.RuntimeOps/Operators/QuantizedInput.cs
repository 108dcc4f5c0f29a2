using NestQuant.RuntimeOps.Interop;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>The activations of an integer operator: inputs X, x_scale and x_zero_point, the first three.</summary>
internal readonly unsafe ref struct QuantizedInput
{
    /// <summary>Reads and checks the three inputs, all but X's shape.</summary>
    public QuantizedInput(in KernelContext context)
    {
        TensorView x = context.Input(0, "X");
        Data = x.Bytes();
        Shape = x.Shape;
        Scale = *context.Input(1, "x_scale").Floats(1);
        ZeroPoint = *context.Input(2, "x_zero_point").Bytes(1);
        if (!float.IsFinite(Scale) || Scale <= 0)
            throw new OperatorException(Invariant($"x_scale is {Scale}: a scale is finite and positive"));
    }

    /// <summary>The quantized activations.</summary>
    public byte* Data { get; }

    /// <summary>Their shape.</summary>
    public ReadOnlySpan<long> Shape { get; }

    /// <summary>Their scale, finite and positive.</summary>
    public float Scale { get; }

    /// <summary>Their zero point.</summary>
    public byte ZeroPoint { get; }

    /// <summary>The declaration of an integer operator's inputs.</summary>
    public static IReadOnlyList<OperatorInput> Declaration { get; } =
    [
        new("X", ElementType.UInt8),
        new("x_scale", ElementType.Float),
        new("x_zero_point", ElementType.UInt8),
        new("W_high", ElementType.UInt8),
        new("W_low", ElementType.UInt8, IsOptional: true),
        new("w_scale", ElementType.Float),
        new("w_zero_point", ElementType.Int32, IsOptional: true),
        new("B", ElementType.Float, IsOptional: true),
        new("bits", ElementType.Int32),
    ];

    /// <summary>Position of W_high in <see cref="Declaration"/>.</summary>
    public const int WeightInput = 3;

    /// <summary>Position of B in <see cref="Declaration"/>.</summary>
    public const int BiasInput = 7;

    /// <summary>Position of bits in <see cref="Declaration"/>.</summary>
    public const int BitsInput = 8;
}
