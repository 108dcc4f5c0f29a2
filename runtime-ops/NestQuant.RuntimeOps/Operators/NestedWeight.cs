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
    private readonly bool _isLowConstant;

    /// <summary>Reads what the node says about its weight.</summary>
    /// <param name="info">The node.</param>
    /// <param name="view">The weight's dimensions.</param>
    /// <param name="firstInput">Position of W_high.</param>
    /// <param name="bitsInput">Position of bits.</param>
    public NestedWeight(in KernelInfo info, ChannelView view, int firstInput, int bitsInput)
    {
        WeightAttributes.RequireLayoutVersion(info);
        Layout = new NestedLayout(WeightAttributes.Bits(info), view);
        _firstInput = firstInput;
        _bitsInput = bitsInput;
        _precision = new PrecisionSelector(Layout.Bits, info.ConfigEntry(NestQuantOps.BitsConfigEntry));
        Tier = KernelTier.Current;
        nint low = info.ConstantInputData(firstInput + 1);
        _pager = new LowOperandPager(low, Layout.LowByteLength);
        _isLowConstant = low != 0;
        long cacheBytes = CacheSize.Parse(info.ConfigEntry(NestQuantOps.CacheConfigEntry));
        _cache = cacheBytes > 0 && info.ConstantInputData(firstInput) != 0 ? new PanelCache(cacheBytes) : null;
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
        byte* high = context.Input(_firstInput, "W_high").Bytes(Layout.HighByteLength);
        byte* low = context.TryInput(_firstInput + 1, "W_low", out TensorView lowTensor) ? lowTensor.Bytes(Layout.LowByteLength) : null;
        scale = context.Input(_firstInput + 2, "w_scale").Floats(channels);
        RequireScales(new ReadOnlySpan<float>(scale, channels));
        zeroPoint = context.TryInput(_firstInput + 3, "w_zero_point", out TensorView zeroPointTensor) ? zeroPointTensor.Int32s(channels) : null;
        int bits = *context.Input(_bitsInput, "bits").Int32s(1);

        bool isPart = _precision.IsPart(bits, low != null);
        _pager.Enter(isPart);
        return new PanelSource(Layout, high, isPart ? null : low, isPart || _isLowConstant ? _cache : null);
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
