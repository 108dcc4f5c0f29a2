using NestQuant.Passes.Operators;
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
        for (int run = 0; run < ChannelRuns.Count(view); run++)
            ChannelRuns.Gather(view, run, values, channels.AsSpan(Start(view, run)), view.WeightsPerChannel);
        return channels;
    }

    /// <summary>The inverse of <see cref="From"/>.</summary>
    public static T[] To<T>(ReadOnlySpan<T> channels, ChannelView view)
    {
        var values = new T[channels.Length];
        for (int run = 0; run < ChannelRuns.Count(view); run++)
            ChannelRuns.Scatter(view, run, channels[Start(view, run)..], view.WeightsPerChannel, values.AsSpan());
        return values;
    }

    private static int Start(ChannelView view, int run) => ChannelRuns.Channels(view, run).First * view.WeightsPerChannel;
}
