using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Convolutions;

/// <summary>The weights of a grouped convolution with bundles of neighbouring groups treated as one group: weights between groups of a
/// bundle are 0.</summary>
internal sealed unsafe class BundledWeights
{
    private readonly PanelSource _weights;
    private readonly int _bundle;
    private readonly int _outputsPerGroup;

    /// <summary>Describes the weights.</summary>
    /// <param name="weights">The weights, group by group.</param>
    /// <param name="geometry">The convolution, its groups not bundled.</param>
    /// <param name="bundle">Groups per bundle, a divisor of their number; 1 leaves everything as it is.</param>
    public BundledWeights(in PanelSource weights, ConvolutionGeometry geometry, int bundle)
    {
        _weights = weights;
        _bundle = bundle;
        _outputsPerGroup = geometry.OutputsPerGroup;
        Geometry = geometry.Bundled(bundle);
    }

    /// <summary>The convolution, its groups bundled.</summary>
    public ConvolutionGeometry Geometry { get; }

    /// <summary>Groups of 4 rows of k, the last one completed with zeros.</summary>
    public int Groups => (Geometry.ReductionLength + 3) / 4;

    /// <summary>
    /// Decodes one panel and spreads each channel's weights over the inputs of all groups of its bundle, 0 for those of other groups.
    /// </summary>
    /// <param name="tier">Decodes the full blocks.</param>
    /// <param name="panel">Index of the panel.</param>
    /// <param name="values">Receives <see cref="Groups"/> groups, <c>[k/4][channel 32][4]</c>.</param>
    public void Decode(KernelTier tier, int panel, sbyte* values)
    {
        if (_bundle == 1)
        {
            _weights.Decode(tier, panel, values);
            return;
        }

        // In bounds: `decoded` holds a group of 4 rows for every 4 of the weights, `values` for every 4 of the bundle's.
        new Span<sbyte>(values, Groups * 4 * NestedLayout.PanelChannels).Clear();
        using Scratch decoded = new(_weights.DecodedLength);
        _weights.Decode(tier, panel, (sbyte*)decoded.Address);
        if (_weights.Layout.View.Inner % 4 == 0)
            SpreadGroups(panel, (int*)decoded.Address, (int*)values);
        else
            SpreadRows(panel, (sbyte*)decoded.Address, values);
    }

    /// <summary>Four rows of k at a time: no tap and no input group starts between them.</summary>
    private void SpreadGroups(int panel, int* decoded, int* values)
    {
        ChannelView view = _weights.Layout.View;
        int inner = view.Inner / 4;
        for (int c = 0; c < _weights.Layout.ChannelsOf(panel); c++)
        {
            int* source = decoded + c;
            int* target = values + c + GroupInBundle(panel, c) * inner * NestedLayout.PanelChannels;
            for (int tap = 0; tap < view.Taps; tap++, target += (_bundle - 1) * inner * NestedLayout.PanelChannels)
            {
                for (int i = 0; i < inner; i++, source += NestedLayout.PanelChannels, target += NestedLayout.PanelChannels)
                    *target = *source;
            }
        }
    }

    private void SpreadRows(int panel, sbyte* decoded, sbyte* values)
    {
        ChannelView view = _weights.Layout.View;
        for (int c = 0; c < _weights.Layout.ChannelsOf(panel); c++)
        {
            for (int k = 0; k < view.WeightsPerChannel; k++)
            {
                (int tap, int inner) = Math.DivRem(k, view.Inner);
                int spread = tap * Geometry.ChannelsPerGroup + GroupInBundle(panel, c) * view.Inner + inner;
                values[Position(spread, c)] = decoded[Position(k, c)];
            }
        }
    }

    private int GroupInBundle(int panel, int channel) => (panel * NestedLayout.PanelChannels + channel) / _outputsPerGroup % _bundle;

    private static int Position(int k, int channel) => ((k >> 2) * NestedLayout.PanelChannels + channel) * 4 + (k & 3);
}
