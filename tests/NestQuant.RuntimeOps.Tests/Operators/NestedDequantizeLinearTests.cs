using CsCheck;
using Microsoft.ML.OnnxRuntime;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Operators;

public class NestedDequantizeLinearTests
{
    [Fact]
    public void Restores_every_element_in_the_weights_own_order() =>
        (from groups in Gen.Int[1, 40]
         from inner in Gen.Int[1, 12]
         from channels in Gen.Int[1, 6]
         from taps in Gen.Int[1, 9]
         from full in Gen.Int[3, 8]
         from high in Gen.Int[2, full - 1]
         from seed in Gen.Int[0, int.MaxValue]
         select (new NestedLayout(new NestedBits(full, high), new ChannelView(groups, inner, channels, taps)), seed)).Sample(
            (layout, seed) =>
            {
                (sbyte[] high, sbyte[] low) = RandomWeights.Create(layout, seed);
                byte[] highBytes = new byte[layout.HighByteLength];
                byte[] lowBytes = new byte[layout.LowByteLength];
                NestedPacker.Pack(layout, [high, low], [highBytes, lowBytes]);
                Random random = new(seed);
                ChannelView view = layout.View;
                float[] scale = [.. Enumerable.Range(0, view.OutputChannels).Select(_ => random.NextSingle() + 1e-3f)];
                int[]? zeroPoint = seed % 2 == 0
                    ? null
                    : [.. Enumerable.Range(0, view.OutputChannels).Select(_ => random.Next(int.MinValue, int.MaxValue))];
                long[] shape = [view.Groups * view.Inner, view.Channels, view.Taps];
                using InferenceSession session = NestedModels.DequantizeLinear(layout, highBytes, lowBytes, scale, zeroPoint, shape).Open();
                Assert.Equal([.. shape.Select(d => (int)d)], session.OutputMetadata["Y"].Dimensions);
                foreach (bool isPart in new[] { false, true })
                {
                    (float[] w, long[] outputShape) = session.Run(
                        ("bits", SessionRuns.Tensor<int>([isPart ? layout.Bits.High : layout.Bits.Full])));
                    Assert.Equal(shape, outputShape);
                    for (int i = 0; i < w.Length; i++)
                    {
                        int m = i / view.Taps / view.Channels / view.Inner * view.Channels + i / view.Taps % view.Channels;
                        long value = (high[i] << layout.Bits.Shift) + (isPart ? 0 : low[i]) - (long)(zeroPoint?[m] ?? 0);
                        Assert.Equal(value * scale[m], w[i]);
                    }
                }
            },
            iter: 60,
            threads: 1);
}
