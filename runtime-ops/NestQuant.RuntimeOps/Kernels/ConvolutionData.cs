using System.Runtime.CompilerServices;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Kernels;

/// <summary>The tensors of one convolution; the caller has checked every length and keeps the memory alive.</summary>
/// <param name="x">Activations, NHWC.</param>
/// <param name="xZeroPoint">Their zero point, 0 to 255.</param>
/// <param name="xScale">Their scale, finite and positive.</param>
/// <param name="wScale">The weights' scales [M], finite and positive.</param>
/// <param name="wZeroPoint">The weights' zero points [M], or null for 0.</param>
/// <param name="bias">The bias [M], or null for 0.</param>
/// <param name="y">The output, NHWC: floats or, with a requantization, bytes.</param>
/// <param name="requantization">How results become uint8, or null for floats.</param>
internal readonly unsafe struct ConvolutionData(
    byte* x, int xZeroPoint, float xScale, float* wScale, int* wZeroPoint, float* bias, void* y, Requantization? requantization = null)
{
    /// <summary>Activations, NHWC.</summary>
    public readonly byte* X = x;

    /// <summary>Zero point of the activations, 0 to 255.</summary>
    public readonly int XZeroPoint = xZeroPoint;

    private readonly byte* _y = (byte*)y;
    private readonly float* _wScale = wScale;
    private readonly int* _wZeroPoint = wZeroPoint;
    private readonly float* _bias = bias;
    private readonly float _xScale = xScale;
    private readonly Requantization? _requantization = requantization;

    /// <summary>Bytes of one output value: 4 for a float, 1 for a uint8.</summary>
    public int OutputBytes => _requantization is null ? sizeof(float) : sizeof(byte);

    /// <summary>The address of an output value.</summary>
    /// <param name="index">Its index, counted in values.</param>
    public byte* Output(long index) => _y + index * OutputBytes;

    /// <summary>The weight zero point of channel m.</summary>
    public int WeightZeroPoint(int m) => _wZeroPoint == null ? 0 : _wZeroPoint[m];

    /// <summary>The largest magnitude of a weight zero point.</summary>
    public long LargestZeroPoint(int outputChannels)
    {
        long largest = 0;
        for (int m = 0; _wZeroPoint != null && m < outputChannels; m++)
            largest = Math.Max(largest, Math.Abs((long)_wZeroPoint[m]));
        return largest;
    }

    /// <summary>The factors of a panel, as for centered rows.</summary>
    /// <param name="firstChannel">The panel's first output channel.</param>
    /// <param name="channels">Its channels that exist, 1 to 32.</param>
    /// <exception cref="ArgumentException">A factor of a requantization is not finite.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public PanelEpilogue Epilogue(int firstChannel, int channels)
    {
        // In bounds: firstChannel + channels <= M, and the fixed buffers hold 32.
        PanelEpilogue epilogue = default;
        for (int c = 0; c < channels; c++)
        {
            epilogue.Scale[c] = _xScale * _wScale[firstChannel + c];
            epilogue.Bias[c] = _bias == null ? 0f : _bias[firstChannel + c];
            epilogue.ZeroPoint[c] = WeightZeroPoint(firstChannel + c);
            epilogue.HasZeroPoint |= epilogue.ZeroPoint[c] != 0;
        }

        if (_requantization is { } requantization)
            Requantize(ref epilogue, requantization, firstChannel, channels);
        return epilogue;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Requantize(ref PanelEpilogue epilogue, Requantization requantization, int firstChannel, int channels)
    {
        float scale = requantization.Scale;
        epilogue.IsQuantized = true;
        epilogue.OutputZeroPoint = requantization.ZeroPoint;
        epilogue.Least = requantization.ClampMin - requantization.ZeroPoint;
        epilogue.Greatest = requantization.ClampMax - requantization.ZeroPoint;
        for (int c = 0; c < channels; c++)
        {
            epilogue.Scale[c] /= scale;
            epilogue.Bias[c] /= scale;
            if (!float.IsFinite(epilogue.Scale[c]))
                throw new ArgumentException(Invariant($"x_scale * w_scale[{firstChannel + c}] / y_scale is {epilogue.Scale[c]}, a finite factor expected"));
            if (!float.IsFinite(epilogue.Bias[c]))
                throw new ArgumentException(Invariant($"B[{firstChannel + c}] / y_scale is {epilogue.Bias[c]}, a finite value expected"));
        }
    }
}
