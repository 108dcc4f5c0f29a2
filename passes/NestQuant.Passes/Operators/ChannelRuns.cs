using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Operators;

/// <summary>
/// Copies runs of output channels between the operator's own layout and memory where each channel is contiguous. Strided layouts are copied
/// a cache line of channels at a time.
/// </summary>
internal static class ChannelRuns
{
    /// <summary>Output channels of a run, the last of a tensor excepted.</summary>
    public const int Length = 16;

    /// <summary>Number of runs of a tensor.</summary>
    public static int Count(ChannelView view) => (view.OutputChannels + Length - 1) / Length;

    /// <summary>The output channels of a run.</summary>
    public static (int First, int Count) Channels(ChannelView view, int run) =>
        (run * Length, Math.Min(Length, view.OutputChannels - (run * Length)));

    /// <summary>Copies a run out of a tensor.</summary>
    /// <param name="view">The tensor's layout.</param>
    /// <param name="run">Which run.</param>
    /// <param name="tensor">The whole tensor.</param>
    /// <param name="channels">Receives the channels.</param>
    /// <param name="stride">Distance between the starts of two channels.</param>
    public static void Gather<T>(ChannelView view, int run, ReadOnlySpan<T> tensor, Span<T> channels, int stride)
    {
        (int first, int count) = Channels(view, run);
        (int pieces, int piece) = Pieces(view);
        for (int inner = 0; inner < pieces; inner++)
            for (int i = 0; i < count; i++)
                tensor.Slice(Offset(view, first + i, inner), piece).CopyTo(channels[((i * stride) + (inner * piece))..]);
    }

    /// <summary>Copies a run into a tensor; the inverse of <see cref="Gather"/>.</summary>
    public static void Scatter<T>(ChannelView view, int run, ReadOnlySpan<T> channels, int stride, Span<T> tensor)
    {
        (int first, int count) = Channels(view, run);
        (int pieces, int piece) = Pieces(view);
        for (int inner = 0; inner < pieces; inner++)
            for (int i = 0; i < count; i++)
                channels.Slice((i * stride) + (inner * piece), piece).CopyTo(tensor[Offset(view, first + i, inner)..]);
    }

    /// <summary>A channel consists of one piece where nothing lies between its kernels.</summary>
    private static (int Count, int Length) Pieces(ChannelView view) =>
        view.Channels == 1 ? (1, view.WeightsPerChannel) : (view.Inner, view.Taps);

    /// <summary>Where the taps of one (output channel, inner channel) pair start in the operator's layout.</summary>
    private static int Offset(ChannelView view, int outputChannel, int inner)
    {
        (int group, int channel) = Math.DivRem(outputChannel, view.Channels);
        return ((((group * view.Inner) + inner) * view.Channels) + channel) * view.Taps;
    }
}
