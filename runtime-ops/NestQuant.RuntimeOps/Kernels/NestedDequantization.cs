using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Kernels.Floats;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Kernels.WeightOnly;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels;

/// <summary>Converts nested weights to float weights in the weight's own order: w = (float)(w_int - zero point) * scale.</summary>
internal sealed unsafe class NestedDequantization
{
    // Differences of such zero points and weights are exact in float.
    private const int MostExact = 1 << 23;

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
        using Scratch floats = new((long)_weights.DecodedLength * sizeof(float));
        sbyte* integers = (sbyte*)values.Address;
        _weights.Decode(_tier, panel, integers);
        int first = panel * NestedLayout.PanelChannels, channels = _weights.Layout.ChannelsOf(panel);
        ChannelView view = _weights.Layout.View;
        if (HasLargeZeroPoints(first, channels))
        {
            for (int c = 0; c < channels; c++)
                StoreChannel(first + c, integers + c * 4);
            return;
        }

        float* memory = stackalloc float[PanelFloats.Length];
        PanelFloats factors = new(new ChannelFactors(_scale, _zeroPoint, null, view.OutputChannels), first, channels, memory);
        if (view.Channels > 1 && view.Taps == 1)
            StoreRows(first, channels, factors, integers, (float*)floats.Address);
        else
            StoreChannels(first, channels, factors, integers, (float*)floats.Address);
    }

    private bool HasLargeZeroPoints(int first, int channels)
    {
        bool isLarge = false;
        for (int m = first; _zeroPoint != null && m < first + channels; m++)
            isLarge |= _zeroPoint[m] is < -MostExact or > MostExact;
        return isLarge;
    }

    /// <summary>Stores a panel whose channels are not neighbours, channel by channel.</summary>
    private void StoreChannels(int first, int channels, in PanelFloats factors, sbyte* values, float* floats)
    {
        // In bounds: a channel has Inner * Taps weights, and floats have a row of 4 * groups for each of 32.
        ChannelView view = _weights.Layout.View;
        nint stride = 4 * _weights.Groups;
        FloatKernel.WidenRows(values, _weights.Groups, factors.ZeroPoints, floats, stride);
        bool isContiguous = view.Channels == 1 && (view.Inner == 1 || view.Taps == 1);
        for (int c = 0; c < channels; c++, floats += stride)
        {
            (int group, int channel) = Math.DivRem(first + c, view.Channels);
            float* target = _target + ((nint)group * view.Inner * view.Channels + channel) * view.Taps;
            float* scaled = isContiguous ? target : floats;
            _tier.Floats.StorePositions(floats, factors.Scale[c], factors.Bias[c], ClipBounds.None, scaled, view.WeightsPerChannel);
            if (!isContiguous)
                Transposition.Run(floats, view.Inner, view.Taps, view.Inner, target, (nint)view.Channels * view.Taps);
        }
    }

    /// <summary>Stores a panel whose channels are neighbours, row of k by row.</summary>
    private void StoreRows(int first, int channels, in PanelFloats factors, sbyte* values, float* floats)
    {
        // In bounds: a tile has 4 * groups rows, of which the first Inner are the weight's; runs of channels end with their group.
        ChannelView view = _weights.Layout.View;
        int width = _tier.Floats.TileColumns;
        _tier.Floats.WidenColumns(values, _weights.Groups, factors.ZeroPoints, floats);
        for (int c = 0; c < channels;)
        {
            (int group, int channel) = Math.DivRem(first + c, view.Channels);
            int count = Math.Min(Math.Min(channels - c, view.Channels - channel), width - c % width);
            float* source = floats + (nint)(c - c % width) * 4 * _weights.Groups + c % width;
            float* target = _target + (nint)group * view.Inner * view.Channels + channel;
            for (int k = 0; k < view.Inner; k++, source += width, target += view.Channels)
                _tier.Floats.StoreChannels(source, factors.Scale + c, factors.Bias + c, ClipBounds.None, target, count);
            c += count;
        }
    }

    /// <summary>Stores a channel whose zero point is too large for floats to be exact.</summary>
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
