namespace NestQuant.RuntimeOps.Packing;

/// <summary>
/// A row-major weight tensor as four dimensions <c>[Groups, Inner, Channels, Taps]</c>, which determine the output channel of every element
/// for all operators' layouts: output channel m = group * Channels + channel.
/// </summary>
/// <remarks>
/// Conv <c>[M, C, k...]</c> is [M, C, 1, k]. ConvTranspose <c>[C, M/g, k...]</c> is [g, C/g, M/g, k]. Gemm with transB=1
/// <c>[N, K]</c> is [N, K, 1, 1]; with transB=0, and MatMul, <c>[K, N]</c> is [1, K, N, 1]; a batched MatMul <c>[B, K, N]</c>
/// is [B, K, N, 1].
/// </remarks>
/// <param name="Groups">Outer dimension, at least 1.</param>
/// <param name="Inner">Input channels that are summed per output channel, at least 1.</param>
/// <param name="Channels">Output channels per group, at least 1.</param>
/// <param name="Taps">Spatial positions of the kernel, at least 1.</param>
public readonly record struct ChannelView(int Groups, int Inner, int Channels, int Taps)
{
    /// <summary>M: the number of output channels, each with its own scale.</summary>
    public int OutputChannels => Groups * Channels;

    /// <summary>The number of weights of one output channel.</summary>
    public int WeightsPerChannel => Inner * Taps;

    /// <summary>The number of weights in all.</summary>
    public long Count => (long)OutputChannels * WeightsPerChannel;

    /// <summary>
    /// Output channel of the row-major row <c>[group, inner, channel]</c> number <paramref name="row"/>, a run of <see cref="Taps"/>
    /// weights.
    /// </summary>
    public int OutputChannelOfRow(int row) => (row / (Inner * Channels) * Channels) + (row % Channels);
}
