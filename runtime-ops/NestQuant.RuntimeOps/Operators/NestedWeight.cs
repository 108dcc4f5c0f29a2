using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Convolutions.Streamed;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Paging;
using NestQuant.RuntimeOps.Schema;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>
/// A node's nested weight, the inputs W_high, W_low and those of further steps, w_scale, part_scale, w_zero_point and <c>bits</c>, bound
/// and checked at every run.
/// </summary>
internal sealed unsafe class NestedWeight
{
    // By step, the high operand first.
    private readonly InputSchema[] _operands;
    private readonly bool[] _isConstant;
    private readonly LowOperandPager?[] _pagers;
    private readonly InputSchema _scale, _zeroPoint, _bits;
    private readonly PartRows _partScale;
    private readonly PrecisionSelector _precision;
    private readonly PanelCache? _cache;
    private readonly KeptSums _sums;
    private readonly WeightTag _tag;

    /// <summary>Reads what the node says about its weight.</summary>
    /// <param name="info">The node.</param>
    /// <param name="view">The weight's dimensions.</param>
    public NestedWeight(in KernelInfo info, ChannelView view)
    {
        Layout = WeightAttributes.Layout(info, view);
        _tag = WeightAttributes.Tag(info, Layout);
        _scale = info.Schema[InputNames.WeightScale];
        _partScale = new PartRows(info.Schema[InputNames.PartScale], Layout.Bits);
        _zeroPoint = info.Schema[InputNames.WeightZeroPoint];
        _bits = info.Schema[InputNames.Bits];
        _precision = new PrecisionSelector(Layout.Bits, info.ConfigEntry(SessionEntries.Bits));
        Tier = TierSelection.Current;
        _operands = new InputSchema[Layout.Bits.Count];
        _isConstant = new bool[_operands.Length];
        _pagers = new LowOperandPager?[_operands.Length];
        for (int step = 0; step < _operands.Length; step++)
        {
            _operands[step] = info.Schema[step == 0 ? InputNames.WeightHigh : InputNames.WeightStep(step)];
            byte* constant = Constant(info, step);
            _isConstant[step] = constant != null;
            if (step > 0)
                _pagers[step] = new LowOperandPager((nint)constant, Layout.ByteLength(step));
        }

        _sums = new KeptSums(Layout.Panels);
        long cacheBytes = CacheSize.Parse(info.ConfigEntry(SessionEntries.Cache));
        _cache = cacheBytes > 0 && _isConstant[0] ? new PanelCache(cacheBytes) : null;
    }

    /// <summary>The layout of the operands.</summary>
    public NestedLayout Layout { get; }

    /// <summary>The inner loops; a tier that is forced and not supported fails here, when the session is made.</summary>
    public KernelTier Tier { get; }

    /// <summary>Binds the inputs of one run.</summary>
    /// <param name="context">The run.</param>
    /// <param name="scale">The level's scales [M].</param>
    /// <param name="zeroPoint">The zero points [M], or null.</param>
    /// <returns>The operands of the run's level; it holds no pointer to those of the steps above it.</returns>
    /// <exception cref="OperatorException">An input is missing or has the wrong type, length or values.</exception>
    public PanelSource Bind(in KernelContext context, out float* scale, out int* zeroPoint)
    {
        int channels = Layout.View.OutputChannels;
        Span<nint> addresses = stackalloc nint[NestedBits.MostLevels];
        addresses[0] = (nint)context.Input(_operands[0]).Bytes(Layout.HighByteLength);
        // A level needs all steps up to it: what follows a missing one is of no use.
        int operands = 1;
        for (; operands < _operands.Length && context.TryInput(_operands[operands], out TensorView low); operands++)
            addresses[operands] = (nint)low.Bytes(Layout.ByteLength(operands));
        zeroPoint = context.TryInput(_zeroPoint, out TensorView zeroPoints) ? zeroPoints.Int32s(channels) : null;
        int level = _precision.LevelAt(*context.Input(_bits).Int32s(1), operands);
        scale = context.Input(_scale).Floats(channels);
        float* partScale = _partScale.Of(context, level, channels);
        if (partScale != null)
            scale = partScale;
        RequireScales(new ReadOnlySpan<float>(scale, channels), partScale == null ? _scale : _partScale.Input, level);

        LevelOperands weights = new(Layout.Bits, level, addresses);
        bool areConstant = true;
        for (int step = 0; step < _operands.Length; step++)
        {
            bool isNeeded = step <= weights.Steps;
            // Operands that a caller may feed could not be seen when the kernel was created.
            if (isNeeded && !_isConstant[step])
                RequireTag(weights[step], step);
            areConstant &= !isNeeded || _isConstant[step];
            _pagers[step]?.Enter(isNeeded);
        }

        return new PanelSource(Layout, weights, areConstant ? _cache : null, areConstant ? _sums : null);
    }

    /// <summary>The operand, checked, when it is constant, or null.</summary>
    private byte* Constant(in KernelInfo info, int step)
    {
        if (!info.TryConstantInput(_operands[step], out TensorView tensor))
            return null;
        long length = Layout.ByteLength(step);
        byte* operand = tensor.Bytes(length);
        // The trailer is all that is needed now, and of a low operand it may be all that is ever needed.
        if (OperatingSystem.IsLinux())
            PageAdvice.ReadSinglePages((nint)operand, length);
        RequireTag(operand, step);
        if (OperatingSystem.IsLinux())
            PageAdvice.ReadAhead((nint)operand, length);
        return operand;
    }

    private void RequireTag(byte* operand, int step)
    {
        if (!Layout.HasTrailer)
            return;
        // In bounds: the operand has been found to have the layout's length, whose last bytes are the trailer.
        ReadOnlySpan<byte> trailer = new(operand + Layout.ByteLength(step) - OperandTrailer.Length, OperandTrailer.Length);
        if (OperandTrailer.Problem(trailer, Layout, step, _tag) is { } problem)
            throw new OperatorException($"input '{_operands[step].Name}' {problem}; {OperandTrailer.Advice}");
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
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
}
