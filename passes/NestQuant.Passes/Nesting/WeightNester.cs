using System.Runtime.InteropServices;
using NestQuant.Onnx;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Nesting;

/// <summary>Nests a whole weight tensor, output channels in parallel. The result does not depend on the number of threads.</summary>
internal static class WeightNester
{
    /// <summary>Nests a tensor.</summary>
    /// <param name="tensor">Finite float32 weights, row-major in the operator's own layout.</param>
    /// <param name="view">The layout.</param>
    /// <param name="quantization">Bit widths, rounding and scheme.</param>
    /// <param name="parallel">Degree of parallelism and cancellation.</param>
    /// <param name="scales">The scale of every output channel; null for those that hold all weights.</param>
    public static NestedWeight Nest(
        TensorProto tensor, ChannelView view, WeightQuantization quantization, ParallelOptions parallel, ChannelScale[]? scales = null)
    {
        ArgumentNullException.ThrowIfNull(quantization);
        NestedBits bits = quantization.Bits;
        int length = view.WeightsPerChannel;
        sbyte[][] levels = [.. Enumerable.Range(0, bits.Count).Select(_ => new sbyte[view.Count])];
        NestedChannel[] channels = ForEachChannel(
            tensor,
            view,
            parallel,
            () => (Nester: new ChannelNester(quantization, length), Integers: new sbyte[ChannelRuns.Length * bits.Count * length]),
            (scratch, weights, run, results) =>
            {
                int stride = bits.Count * length, first = ChannelRuns.Channels(view, run).First;
                for (int i = 0; i < results.Length; i++)
                    results[i] = scratch.Nester.Nest(
                        weights.Slice(i * length, length),
                        view.Taps,
                        scratch.Integers.AsSpan(i * stride, stride),
                        scales?[first + i]);
                for (int level = 0; level < bits.Count; level++)
                    ChannelRuns.Scatter<sbyte>(view, run, scratch.Integers.AsSpan(level * length), stride, levels[level]);
            });
        return new NestedWeight(bits, view, levels[0], levels[1..], channels);
    }

    /// <summary>Measures the errors of the levels of a nested tensor.</summary>
    /// <param name="tensor">The weights.</param>
    /// <param name="view">Their layout.</param>
    /// <param name="bits">The levels.</param>
    /// <param name="levels">The integers of every level, full precision first.</param>
    /// <param name="channels">Scale and zero point of every output channel.</param>
    /// <param name="partScales">Scales below full precision, [levels - 1, M]; null where they are the channels'.</param>
    /// <param name="parallel">Degree of parallelism and cancellation.</param>
    public static NestedChannel[] Measure(
        TensorProto tensor,
        ChannelView view,
        NestedBits bits,
        IReadOnlyList<sbyte[]> levels,
        NestedChannel[] channels,
        float[]? partScales,
        ParallelOptions parallel)
    {
        int length = view.WeightsPerChannel;
        return ForEachChannel(
            tensor,
            view,
            parallel,
            () => (Integers: new sbyte[ChannelRuns.Length * bits.Count * length], Errors: new float[length]),
            (scratch, weights, run, results) =>
            {
                int stride = bits.Count * length, first = ChannelRuns.Channels(view, run).First;
                var scales = new float[partScales is null ? 0 : bits.Count - 1];
                for (int level = 0; level < bits.Count; level++)
                    ChannelRuns.Gather<sbyte>(view, run, levels[level], scratch.Integers.AsSpan(level * length), stride);
                for (int i = 0; i < results.Length; i++)
                {
                    for (int part = 0; part < scales.Length; part++) scales[part] = partScales![(part * view.OutputChannels) + first + i];
                    NestedChannel channel = channels[first + i];
                    results[i] = NestedChannel.Measure(
                        bits,
                        channel.Scale,
                        channel.ZeroPoint,
                        scales,
                        weights.Slice(i * length, length),
                        scratch.Integers.AsSpan(i * stride, stride),
                        scratch.Errors);
                }
            });
    }

    private delegate void RunWork<TScratch>(TScratch scratch, ReadOnlySpan<float> weights, int run, Span<NestedChannel> results);

    /// <summary>Works on runs of output channels, gathered so that each channel is contiguous.</summary>
    private static NestedChannel[] ForEachChannel<TScratch>(
        TensorProto tensor, ChannelView view, ParallelOptions parallel, Func<TScratch> newScratch, RunWork<TScratch> work)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        ArgumentNullException.ThrowIfNull(parallel);
        if (tensor.DataType != TensorDataType.Float || tensor.ElementCount != view.Count)
            throw new ArgumentException($"tensor '{tensor.Name}' does not hold the {view.Count} float32 weights of {view}");

        ReadOnlyMemory<byte> weights = tensor.GetBytes();
        var results = new NestedChannel[view.OutputChannels];
        Parallel.For(
            0,
            ChannelRuns.Count(view),
            parallel,
            () => (Scratch: newScratch(), Weights: new float[ChannelRuns.Length * view.WeightsPerChannel]),
            (run, _, local) =>
            {
                (int first, int count) = ChannelRuns.Channels(view, run);
                ChannelRuns.Gather(
                    view, run, MemoryMarshal.Cast<byte, float>(weights.Span), local.Weights.AsSpan(), view.WeightsPerChannel);
                work(local.Scratch, local.Weights, run, results.AsSpan(first, count));
                return local;
            },
            static _ => { });
        return results;
    }
}
