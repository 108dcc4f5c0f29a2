using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>
/// The inputs with one value per output channel: w_scale, part_scale and w_zero_point and, where the operator has them, B and part_bias.
/// What is constant is checked once for each level.
/// </summary>
internal sealed unsafe class FactorInputs
{
    private readonly NestedBits _bits;
    private readonly int _channels;
    private readonly InputSchema _scale, _zeroPoint;
    private readonly InputSchema? _bias;
    private readonly PartRows _partScale;
    private readonly PartRows? _partBias;

    // The addresses of constant inputs, by position; 0 for others.
    private readonly nint[] _constants;

    // By level, the highest first.
    private readonly Kept?[] _kept;

    /// <summary>Notes which inputs are constant.</summary>
    /// <param name="info">The node.</param>
    /// <param name="layout">The layout of its weight.</param>
    public FactorInputs(in KernelInfo info, NestedLayout layout)
    {
        OperatorSchema schema = info.Schema;
        _bits = layout.Bits;
        _channels = layout.View.OutputChannels;
        _scale = schema[InputNames.WeightScale];
        _zeroPoint = schema[InputNames.WeightZeroPoint];
        _partScale = new PartRows(schema[InputNames.PartScale], _bits);
        if (schema.HasInput(InputNames.Bias))
        {
            _bias = schema[InputNames.Bias];
            _partBias = new PartRows(schema[InputNames.PartBias], _bits);
        }

        _constants = new nint[schema.Inputs.Count];
        foreach (InputSchema input in schema.Inputs)
            _constants[input.Position] = info.TryConstantInput(input, out TensorView tensor) ? tensor.Address : 0;
        _kept = new Kept?[_bits.Count];
    }

    /// <summary>The factors of a run.</summary>
    /// <param name="context">The run.</param>
    /// <param name="level">Bits of its level.</param>
    /// <exception cref="OperatorException">An input is missing or has the wrong type, shape or values.</exception>
    public ChannelFactors Bind(in KernelContext context, int level)
    {
        int index = _bits.IndexOf(level);
        if (Volatile.Read(ref _kept[index]) is { } kept)
            return kept.Factors;

        int* zeroPoint = context.TryInput(_zeroPoint, out TensorView zeroPoints) ? zeroPoints.Int32s(_channels) : null;
        float* scale = context.Input(_scale).Floats(_channels);
        float* partScale = _partScale.Of(context, level, _channels);
        if (partScale != null)
            scale = partScale;
        RequireScales(new ReadOnlySpan<float>(scale, _channels), partScale == null ? _scale : _partScale.Input, level);
        float* bias = _bias is not null && context.TryInput(_bias, out TensorView biases) ? biases.Floats(_channels) : null;
        float* partBias = _partBias is null ? null : _partBias.Of(context, level, _channels);
        ChannelFactors factors = new(scale, zeroPoint, partBias == null ? bias : partBias, _channels);
        if (AreConstant(context))
            Volatile.Write(ref _kept[index], new Kept(factors));
        return factors;
    }

    private bool AreConstant(in KernelContext context) =>
        IsConstant(context, _scale) && IsConstant(context, _zeroPoint) && IsConstant(context, _partScale.Input)
        && IsConstant(context, _bias) && IsConstant(context, _partBias?.Input);

    private bool IsConstant(in KernelContext context, InputSchema? input) =>
        input is null || !context.TryInput(input, out TensorView tensor) || tensor.Address == _constants[input.Position];

    [MethodImpl(MethodCompilation.Loops)]
    private static void RequireScales(ReadOnlySpan<float> scales, InputSchema input, int level)
    {
        // Whole vectors of scales that are all right need no closer look.
        int m = 0;
        while (m <= scales.Length - Vector256<float>.Count && AreScales(Vector256.Create(scales[m..])))
            m += Vector256<float>.Count;
        for (; m < scales.Length; m++)
        {
            if (!float.IsFinite(scales[m]) || scales[m] <= 0)
                throw new OperatorException(
                    Invariant($"{input.Name}[{m}] is {scales[m]} at {level} bits: scales are finite and positive"));
        }
    }

    private static bool AreScales(Vector256<float> values) =>
        Vector256.GreaterThanAll(values, Vector256<float>.Zero) && Vector256.LessThanAll(values, Vector256.Create(float.PositiveInfinity));

    private sealed class Kept(in ChannelFactors factors)
    {
        public ChannelFactors Factors { get; } = factors;
    }
}
