using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Packing;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Kernels.Convolutions;

/// <summary>The tensors of one run; the caller has checked every length and keeps the memory alive.</summary>
/// <param name="x">Activations, NHWC.</param>
/// <param name="xZeroPoint">Their zero point, 0 to 255.</param>
/// <param name="xScale">Their scale, finite and positive.</param>
/// <param name="factors">The factors of the output channels at the run's level.</param>
/// <param name="y">The output, NHWC: floats or, with a requantization, bytes.</param>
/// <param name="requantization">How results become uint8, or null for floats.</param>
internal readonly unsafe struct ConvolutionData(
    byte* x, int xZeroPoint, float xScale, in ChannelFactors factors, void* y, Requantization? requantization = null)
{
    /// <summary>Activations, NHWC.</summary>
    public readonly byte* X = x;

    /// <summary>Zero point of the activations, 0 to 255.</summary>
    public readonly int XZeroPoint = xZeroPoint;

    private readonly byte* _y = (byte*)y;
    private readonly ChannelFactors _factors = factors;
    private readonly float _xScale = xScale;
    private readonly Requantization? _requantization = requantization;

    /// <summary>Bytes of one output value: 4 for a float, 1 for a uint8.</summary>
    public int OutputBytes => _requantization is null ? sizeof(float) : sizeof(byte);

    /// <summary>The address of an output value.</summary>
    /// <param name="index">Its index, counted in values.</param>
    public byte* Output(long index) => _y + index * OutputBytes;

    /// <summary>The weight zero point of channel m.</summary>
    public int WeightZeroPoint(int m) => _factors.ZeroPoint == null ? 0 : _factors.ZeroPoint[m];

    /// <summary>The largest magnitude of a weight zero point.</summary>
    public long LargestZeroPoint => _factors.LargestZeroPoint;

    /// <summary>
    /// Whether all results of a requantization provably fit in 32 bits before clamping, as with every sensible scale; true for floats.
    /// </summary>
    /// <param name="reductionLength">Products per accumulator.</param>
    public bool AreResultsOfInt32(int reductionLength)
    {
        // Half the range of 32 bits, since the value compared with it is rounded.
        const float limit = 1 << 30;
        float largestSum = 255f * 128f * reductionLength;

        // NaN compares false and is rejected.
        return _requantization is not { } requantization
            || (largestSum * _xScale * _factors.LargestScale + _factors.LargestBias) / requantization.Scale < limit;
    }

    /// <summary>The factors of a panel, as for centered rows.</summary>
    /// <param name="firstChannel">The panel's first output channel.</param>
    /// <param name="channels">Its channels that exist, 1 to 32.</param>
    /// <exception cref="ArgumentException">A factor of a requantization is not finite.</exception>
    [MethodImpl(MethodCompilation.Loops)]
    public PanelEpilogue Epilogue(int firstChannel, int channels)
    {
        // In bounds: firstChannel + channels <= M, and the fixed buffers hold 32.
        PanelEpilogue epilogue = default;
        for (int c = 0; c < channels && _factors.ZeroPoint != null; c++)
        {
            epilogue.ZeroPoint[c] = WeightZeroPoint(firstChannel + c);
            epilogue.HasZeroPoint |= epilogue.ZeroPoint[c] != 0;
        }

        int channel = 0;
        for (; channel <= channels - Vector256<float>.Count; channel += Vector256<float>.Count)
        {
            (Vector256.Load(_factors.Scale + firstChannel + channel) * _xScale).Store(epilogue.Scale + channel);
            if (_factors.Bias != null)
                Vector256.Load(_factors.Bias + firstChannel + channel).Store(epilogue.Bias + channel);
        }

        for (; channel < channels; channel++)
        {
            epilogue.Scale[channel] = _xScale * _factors.Scale[firstChannel + channel];
            epilogue.Bias[channel] = _factors.Bias == null ? 0f : _factors.Bias[firstChannel + channel];
        }

        if (_requantization is { } requantization)
            Requantize(ref epilogue, requantization, firstChannel, channels);
        return epilogue;
    }

    [MethodImpl(MethodCompilation.Loops)]
    private static void Requantize(ref PanelEpilogue epilogue, Requantization requantization, int firstChannel, int channels)
    {
        // In bounds: the buffers hold 32 floats each; missing channels have scale and bias 0.
        epilogue.IsQuantized = true;
        epilogue.OutputZeroPoint = requantization.ZeroPoint;
        epilogue.Least = requantization.ClampMin - requantization.ZeroPoint;
        epilogue.Greatest = requantization.ClampMax - requantization.ZeroPoint;
        bool areFinite = true;
        fixed (float* scales = epilogue.Scale, biases = epilogue.Bias)
        {
            for (int c = 0; c < NestedLayout.PanelChannels; c += Vector256<float>.Count)
            {
                Vector256<float> scale = Vector256.Load(scales + c) / requantization.Scale,
                    bias = Vector256.Load(biases + c) / requantization.Scale;
                areFinite &= Vector256.LessThanAll(Vector256.Abs(scale), Vector256.Create(float.PositiveInfinity));
                areFinite &= Vector256.LessThanAll(Vector256.Abs(bias), Vector256.Create(float.PositiveInfinity));
                scale.Store(scales + c);
                bias.Store(biases + c);
            }
        }

        for (int c = 0; c < channels && !areFinite; c++)
        {
            if (!float.IsFinite(epilogue.Scale[c]))
                throw new ArgumentException(
                    Invariant($"x_scale * w_scale[{firstChannel + c}] / y_scale is {epilogue.Scale[c]}, a finite factor expected"));
            if (!float.IsFinite(epilogue.Bias[c]))
                throw new ArgumentException(Invariant($"B[{firstChannel + c}] / y_scale is {epilogue.Bias[c]}, a finite value expected"));
        }
    }
}
