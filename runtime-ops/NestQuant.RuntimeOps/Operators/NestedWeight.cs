using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Paging;
using NestQuant.RuntimeOps.Schema;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>
/// A node's nested weight, the inputs W_high, W_low, w_scale, w_zero_point and <c>bits</c>, bound and checked at every run.
/// </summary>
internal sealed unsafe class NestedWeight
{
    private readonly InputSchema _high, _low, _scale, _zeroPoint, _bits;
    private readonly PrecisionSelector _precision;
    private readonly LowOperandPager _pager;
    private readonly PanelCache? _cache;
    private readonly WeightTag _tag;
    private readonly bool _isHighConstant, _isLowConstant;

    /// <summary>Reads what the node says about its weight.</summary>
    /// <param name="info">The node.</param>
    /// <param name="view">The weight's dimensions.</param>
    public NestedWeight(in KernelInfo info, ChannelView view)
    {
        Layout = WeightAttributes.Layout(info, view);
        _tag = WeightAttributes.Tag(info, Layout);
        _high = info.Schema[InputNames.WeightHigh];
        _low = info.Schema[InputNames.WeightLow];
        _scale = info.Schema[InputNames.WeightScale];
        _zeroPoint = info.Schema[InputNames.WeightZeroPoint];
        _bits = info.Schema[InputNames.Bits];
        _precision = new PrecisionSelector(Layout.Bits, info.ConfigEntry(SessionEntries.Bits));
        Tier = KernelTier.Current;
        byte* high = Constant(info, OperandRole.High), low = Constant(info, OperandRole.Low);
        (_isHighConstant, _isLowConstant) = (high != null, low != null);
        _pager = new LowOperandPager((nint)low, Layout.LowByteLength);
        long cacheBytes = CacheSize.Parse(info.ConfigEntry(SessionEntries.Cache));
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
        byte* high = context.Input(_high).Bytes(Layout.HighByteLength);
        bool hasLow = context.TryInput(_low, out TensorView lowTensor);
        byte* low = hasLow ? lowTensor.Bytes(Layout.LowByteLength) : null;
        scale = context.Input(_scale).Floats(channels);
        RequireScales(new ReadOnlySpan<float>(scale, channels));
        zeroPoint = context.TryInput(_zeroPoint, out TensorView zeroPointTensor)
            ? zeroPointTensor.Int32s(channels)
            : null;
        int bits = *context.Input(_bits).Int32s(1);

        bool isPart = _precision.IsPart(bits, hasLow);
        // Operands that a caller may feed could not be seen when the kernel was created.
        if (!_isHighConstant)
            RequireTag(high, OperandRole.High);
        if (!_isLowConstant && !isPart)
            RequireTag(low, OperandRole.Low);
        _pager.Enter(isPart);
        return new PanelSource(Layout, high, isPart ? null : low, isPart || _isLowConstant ? _cache : null);
    }

    private InputSchema Input(OperandRole role) => role == OperandRole.High ? _high : _low;

    /// <summary>The operand, checked, when it is constant, or null.</summary>
    private byte* Constant(in KernelInfo info, OperandRole role)
    {
        if (!info.TryConstantInput(Input(role), out TensorView tensor))
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
            throw new OperatorException($"input '{Input(role).Name}' {problem}; {OperandTrailer.Advice}");
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
