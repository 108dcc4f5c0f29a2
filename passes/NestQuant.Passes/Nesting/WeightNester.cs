using System.Runtime.InteropServices;
using NestQuant.Onnx;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Nesting;

/// <summary>Nests a whole weight tensor, output channels in parallel. The result does not depend on the number of threads.</summary>
internal static class WeightNester
{
    /// <summary>Output channels per unit of work: strided layouts are gathered a cache line of channels at a time.</summary>
    private const int ChannelsPerTask = 16;

    /// <summary>Nests a tensor.</summary>
    /// <param name="tensor">Finite float32 weights, row-major in the operator's own layout.</param>
    /// <param name="view">The layout.</param>
    /// <param name="quantization">Bit widths, rounding and scheme.</param>
    /// <param name="parallel">Degree of parallelism and cancellation.</param>
    public static NestedWeight Nest(TensorProto tensor, ChannelView view, WeightQuantization quantization, ParallelOptions parallel)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        ArgumentNullException.ThrowIfNull(quantization);
        ArgumentNullException.ThrowIfNull(parallel);
        if (tensor.DataType != TensorDataType.Float || tensor.ElementCount != view.Count)
            throw new ArgumentException($"tensor '{tensor.Name}' does not hold the {view.Count} float32 weights of {view}");

        ReadOnlyMemory<byte> weights = tensor.GetBytes();
        var high = new sbyte[view.Count];
        var low = new sbyte[view.Count];
        var channels = new NestedChannel[view.OutputChannels];
        int tasks = (view.OutputChannels + ChannelsPerTask - 1) / ChannelsPerTask;
        Parallel.For(
            0,
            tasks,
            parallel,
            () => new ChannelBlock(quantization, view),
            (task, _, block) =>
            {
                int first = task * ChannelsPerTask;
                int count = Math.Min(ChannelsPerTask, view.OutputChannels - first);
                block.Nest(MemoryMarshal.Cast<byte, float>(weights.Span), first, high, low, channels.AsSpan(first, count));
                return block;
            },
            static _ => { });
        return new NestedWeight(quantization.Bits, view, high, low, channels);
    }

    /// <summary>Scratch memory for a run of output channels, gathered so that each is contiguous.</summary>
    private sealed class ChannelBlock(WeightQuantization quantization, ChannelView view)
    {
        private readonly ChannelNester _nester = new(quantization, view.WeightsPerChannel);
        private readonly float[] _weights = new float[ChannelsPerTask * view.WeightsPerChannel];
        private readonly sbyte[] _high = new sbyte[ChannelsPerTask * view.WeightsPerChannel];
        private readonly sbyte[] _low = new sbyte[ChannelsPerTask * view.WeightsPerChannel];

        public void Nest(ReadOnlySpan<float> weights, int first, Span<sbyte> high, Span<sbyte> low, Span<NestedChannel> results)
        {
            int length = view.WeightsPerChannel;
            if (view.Channels == 1)
            {
                for (int i = 0; i < results.Length; i++)
                {
                    int start = (first + i) * length;
                    results[i] = _nester.Nest(weights.Slice(start, length), view.Taps, high.Slice(start, length), low.Slice(start, length));
                }

                return;
            }

            for (int inner = 0; inner < view.Inner; inner++)
                for (int i = 0; i < results.Length; i++)
                    weights.Slice(Offset(first + i, inner), view.Taps).CopyTo(_weights.AsSpan((i * length) + (inner * view.Taps)));
            for (int i = 0; i < results.Length; i++)
                results[i] = _nester.Nest(
                    _weights.AsSpan(i * length, length), view.Taps, _high.AsSpan(i * length, length), _low.AsSpan(i * length, length));
            for (int inner = 0; inner < view.Inner; inner++)
            {
                for (int i = 0; i < results.Length; i++)
                {
                    _high.AsSpan((i * length) + (inner * view.Taps), view.Taps).CopyTo(high[Offset(first + i, inner)..]);
                    _low.AsSpan((i * length) + (inner * view.Taps), view.Taps).CopyTo(low[Offset(first + i, inner)..]);
                }
            }
        }

        /// <summary>Where the taps of one (output channel, inner channel) pair start in the operator's layout.</summary>
        private int Offset(int outputChannel, int inner)
        {
            (int group, int channel) = Math.DivRem(outputChannel, view.Channels);
            return ((((group * view.Inner) + inner) * view.Channels) + channel) * view.Taps;
        }
    }
}
