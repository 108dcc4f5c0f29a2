using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Paging;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>
/// A node's nested weight: four consecutive inputs (W_high, W_low, w_scale, w_zero_point) and <c>bits</c>, bound and checked at every run.
/// </summary>
internal sealed unsafe class NestedWeight
{
    private readonly int _firstInput;
    private readonly int _bitsInput;
    private readonly PrecisionSelector _precision;
    private readonly LowOperandPager _pager;
    private readonly PanelCache? _cache;
    private readonly WeightTag _tag;
    private readonly bool _isHighConstant, _isLowConstant;

    /// <summary>Reads what the node says about its weight.</summary>
    /// <param name="info">The node.</param>
    /// <param name="view">The weight's dimensions.</param>
    /// <param name="firstInput">Position of W_high.</param>
    /// <param name="bitsInput">Position of bits.</param>
    public NestedWeight(in KernelInfo info, ChannelView view, int firstInput, int bitsInput)
    {
        Layout = WeightAttributes.Layout(info, view);
        _tag = WeightAttributes.Tag(info, Layout);
        _firstInput = firstInput;
        _bitsInput = bitsInput;
        _precision = new PrecisionSelector(Layout.Bits, info.ConfigEntry(NestQuantOps.BitsConfigEntry));
        Tier = KernelTier.Current;
        byte* high = Constant(info, OperandRole.High), low = Constant(info, OperandRole.Low);
        (_isHighConstant, _isLowConstant) = (high != null, low != null);
        _pager = new LowOperandPager((nint)low, Layout.LowByteLength);
        long cacheBytes = CacheSize.Parse(info.ConfigEntry(NestQuantOps.CacheConfigEntry));
        _cache = cacheBytes > 0 && _isHighConstant ? new PanelCache(cacheBytes) : null;
    }

    /// <summary>The layout of the operands.</summary>
    public NestedLayout Layout { get; }

    /// <summary>The inner loops; a tier that is forced and not supported fails here, when the session is made.</summary>
    public KernelTier Tier { get; }

    /// <summary>Binds the inputs of one run.</summary>
    /// <param name="context">The run.</param>
    /// <param name="scale">The scales [M].</param>
    /// <param name="zeroPoint">The zero points [M], or null.</param>
    /// <returns>The operands at the run's precision; part precision holds no pointer to the low operand.</returns>
    /// <exception cref="OperatorException">An input is missing or has the wrong type, length or values.</exception>
    public PanelSource Bind(in KernelContext context, out float* scale, out int* zeroPoint)
    {
        int channels = Layout.View.OutputChannels;
        byte* high = context.Input(Position(OperandRole.High), Name(OperandRole.High)).Bytes(Layout.HighByteLength);
        bool hasLow = context.TryInput(Position(OperandRole.Low), Name(OperandRole.Low), out TensorView lowTensor);
        byte* low = hasLow ? lowTensor.Bytes(Layout.LowByteLength) : null;
        scale = context.Input(_firstInput + 2, "w_scale").Floats(channels);
        RequireScales(new ReadOnlySpan<float>(scale, channels));
        zeroPoint = context.TryInput(_firstInput + 3, "w_zero_point", out TensorView zeroPointTensor)
            ? zeroPointTensor.Int32s(channels)
            : null;
        int bits = *context.Input(_bitsInput, "bits").Int32s(1);

        bool isPart = _precision.IsPart(bits, hasLow);
        // Operands that a caller may feed could not be seen when the kernel was created.
        if (!_isHighConstant)
            RequireTag(high, OperandRole.High);
        if (!_isLowConstant && !isPart)
            RequireTag(low, OperandRole.Low);
        _pager.Enter(isPart);
        return new PanelSource(Layout, high, isPart ? null : low, isPart || _isLowConstant ? _cache : null);
    }

    private static string Name(OperandRole role) => role == OperandRole.High ? "W_high" : "W_low";

    private int Position(OperandRole role) => _firstInput + (role == OperandRole.High ? 0 : 1);

    /// <summary>The operand, checked, when it is constant, or null.</summary>
    private byte* Constant(in KernelInfo info, OperandRole role)
    {
        if (!info.TryConstantInput(Position(role), Name(role), out TensorView tensor))
            return null;
        long length = Layout.ByteLength(role);
        byte* operand = tensor.Bytes(length);
        // The trailer is all that is needed now, and of a low operand it may be all that is ever needed.
        if (OperatingSystem.IsLinux())
            PageAdvice.ReadSinglePages((nint)operand, length);
        RequireTag(operand, role);
        if (OperatingSystem.IsLinux())
            PageAdvice.ReadAhead((nint)operand, length);
        return operand;
    }

    private void RequireTag(byte* operand, OperandRole role)
    {
        if (!Layout.HasTrailer)
            return;
        // In bounds: the operand has been found to have the layout's length, whose last bytes are the trailer.
        ReadOnlySpan<byte> trailer = new(operand + Layout.ByteLength(role) - OperandTrailer.Length, OperandTrailer.Length);
        if (OperandTrailer.Problem(trailer, Layout, role, _tag) is { } problem)
            throw new OperatorException($"input '{Name(role)}' {problem}; {OperandTrailer.Advice}");
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RequireScales(ReadOnlySpan<float> scales)
    {
        // Whole vectors of scales that are all right need no closer look.
        int m = 0;
        while (m <= scales.Length - Vector256<float>.Count && AreScales(Vector256.Create(scales[m..])))
            m += Vector256<float>.Count;
        for (; m < scales.Length; m++)
        {
            if (!float.IsFinite(scales[m]) || scales[m] <= 0)
                throw new OperatorException(Invariant($"w_scale[{m}] is {scales[m]}: scales are finite and positive"));
        }
    }

    private static bool AreScales(Vector256<float> values) =>
        Vector256.GreaterThanAll(values, Vector256<float>.Zero) && Vector256.LessThanAll(values, Vector256.Create(float.PositiveInfinity));
}
