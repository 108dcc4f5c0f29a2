using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels;

/// <summary>Converts nested weights to float weights in the weight's own order: w = (float)(w_int - zero point) * scale.</summary>
internal sealed unsafe class NestedDequantization
{
    private readonly KernelTier _tier;
    private readonly PanelSource _weights;
    private readonly float* _scale;
    private readonly int* _zeroPoint;
    private readonly float* _target;

    private NestedDequantization(KernelTier tier, in PanelSource weights, float* scale, int* zeroPoint, float* target)
    {
        _tier = tier;
        _weights = weights;
        _scale = scale;
        _zeroPoint = zeroPoint;
        _target = target;
    }

    /// <summary>Computes the whole weight.</summary>
    /// <param name="tier">Decodes the panels.</param>
    /// <param name="weights">The nested weights.</param>
    /// <param name="scale">One scale per output channel.</param>
    /// <param name="zeroPoint">One zero point per output channel, or null for 0.</param>
    /// <param name="target">Receives the weight, row-major <c>[Groups, Inner, Channels, Taps]</c>.</param>
    /// <param name="loop">Runs the panels.</param>
    public static void Run(KernelTier tier, in PanelSource weights, float* scale, int* zeroPoint, float* target, ParallelLoop loop)
    {
        NestedDequantization dequantization = new(tier, weights, scale, zeroPoint, target);
        loop.Run(weights.Layout.Panels, dequantization.RunPanel);
    }

    private void RunPanel(int panel)
    {
        using Scratch values = new(_weights.DecodedLength);
        _weights.Decode(_tier, panel, (sbyte*)values.Address);
        int channels = _weights.Layout.ChannelsOf(panel);
        for (int c = 0; c < channels; c++)
            StoreChannel(panel * NestedLayout.PanelChannels + c, (sbyte*)values.Address + c * 4);
    }

    private void StoreChannel(int m, sbyte* values)
    {
        // In bounds: (group, inner, channel, tap) runs over the view's dimensions, and k over the rows of the decoded panel.
        ChannelView view = _weights.Layout.View;
        (int group, int channel) = Math.DivRem(m, view.Channels);
        float* start = _target + ((long)group * view.Inner * view.Channels + channel) * view.Taps;
        long innerStride = (long)view.Channels * view.Taps;
        float scale = _scale[m];
        long zeroPoint = _zeroPoint == null ? 0 : _zeroPoint[m];
        int k = 0;
        for (int tap = 0; tap < view.Taps; tap++)
        {
            for (int inner = 0; inner < view.Inner; inner++, k++)
            {
                long value = values[(k >> 2) * (NestedLayout.PanelChannels * 4) + (k & 3)] - zeroPoint;
                start[inner * innerStride + tap] = (float)value * scale;
            }
        }
    }
}
