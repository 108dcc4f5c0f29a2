using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Nesting.Calibrated;

/// <summary>
/// A weight as [M, K]: the K weights of every output channel together, inner channel after inner channel, instead of the operator's order.
/// </summary>
internal static class ChannelMajor
{
    /// <summary>Reorders a weight.</summary>
    /// <param name="values">The weight in the operator's order.</param>
    /// <param name="view">Its layout.</param>
    public static T[] From<T>(ReadOnlySpan<T> values, ChannelView view)
    {
        var channels = new T[values.Length];
        foreach ((int channel, int inner, int source) in Runs(view))
            values.Slice(source, view.Taps).CopyTo(channels.AsSpan((channel * view.WeightsPerChannel) + (inner * view.Taps)));
        return channels;
    }

    /// <summary>The inverse of <see cref="From"/>.</summary>
    public static T[] To<T>(ReadOnlySpan<T> channels, ChannelView view)
    {
        var values = new T[channels.Length];
        foreach ((int channel, int inner, int target) in Runs(view))
            channels.Slice((channel * view.WeightsPerChannel) + (inner * view.Taps), view.Taps).CopyTo(values.AsSpan(target));
        return values;
    }

    /// <summary>Where the taps of every output channel and inner channel start in the operator's order.</summary>
    private static IEnumerable<(int Channel, int Inner, int Offset)> Runs(ChannelView view)
    {
        int offset = 0;
        for (int group = 0; group < view.Groups; group++)
            for (int inner = 0; inner < view.Inner; inner++)
                for (int channel = 0; channel < view.Channels; channel++, offset += view.Taps)
                    yield return ((group * view.Channels) + channel, inner, offset);
    }
}
