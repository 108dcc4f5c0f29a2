namespace NestQuant.RuntimeOps.Kernels;

/// <summary>The tensors of one convolution; the caller has checked every length and keeps the memory alive.</summary>
/// <param name="x">Activations, NHWC.</param>
/// <param name="xZeroPoint">Their zero point, 0 to 255.</param>
/// <param name="xScale">Their scale, finite and positive.</param>
/// <param name="wScale">The weights' scales [M], finite and positive.</param>
/// <param name="wZeroPoint">The weights' zero points [M], or null for 0.</param>
/// <param name="bias">The bias [M], or null for 0.</param>
/// <param name="y">The output, NHWC.</param>
internal readonly unsafe struct ConvolutionData(byte* x, int xZeroPoint, float xScale, float* wScale, int* wZeroPoint, float* bias, float* y)
{
    /// <summary>Activations, NHWC.</summary>
    public readonly byte* X = x;

    /// <summary>Zero point of the activations, 0 to 255.</summary>
    public readonly int XZeroPoint = xZeroPoint;

    /// <summary>The output, NHWC.</summary>
    public readonly float* Y = y;

    private readonly float* _wScale = wScale;
    private readonly int* _wZeroPoint = wZeroPoint;
    private readonly float* _bias = bias;
    private readonly float _xScale = xScale;

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

    /// <summary>The float factors of a panel.</summary>
    /// <param name="firstChannel">The panel's first output channel.</param>
    /// <param name="channels">Its channels that exist, 1 to 32.</param>
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

        return epilogue;
    }
}
