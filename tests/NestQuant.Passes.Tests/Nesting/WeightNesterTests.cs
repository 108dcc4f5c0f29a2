using CsCheck;
using NestQuant.Onnx;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Tests.Nesting;

/// <summary>Whole tensors: every output channel is nested by itself, wherever its weights lie and however many threads work.</summary>
public sealed class WeightNesterTests
{
    private static readonly WeightQuantization Options =
        new(new NestedBits(8, 5, 3), WeightScheme.Affine, WeightRounding.Adaptive, WeightRounding.Adaptive);

    private static readonly Gen<(ChannelView View, float[] Weights)> Tensors =
        from groups in Gen.Int[1, 40]
        from inner in Gen.Int[1, 6]
        from channels in Gen.Int[1, 40]
        from taps in Gen.OneOf(1, 3, 9)
        from weights in Gen.Float.Unit.Array[groups * inner * channels * taps]
        select (new ChannelView(groups, inner, channels, taps), weights);

    [Fact]
    public void ChannelsAreGatheredFromAnyLayout() => Tensors.Sample(
        static (view, weights) =>
        {
            NestedWeight nested = Nest(view, weights, threads: 2);
            var nester = new ChannelNester(Options, view.WeightsPerChannel);
            var levels = new sbyte[3 * view.WeightsPerChannel];
            for (int m = 0; m < view.OutputChannels; m++)
            {
                int[] indices = IndicesOf(view, m);
                NestedChannel result = nester.Nest(Array.ConvertAll(indices, i => weights[i]), view.Taps, levels);
                Assert.Equal(levels, nested.Levels.SelectMany(level => indices.Select(i => level[i])));
                Assert.Equal((result.Scale, result.ZeroPoint), (nested.Scales[m], nested.ZeroPoints[m]));
            }
        },
        iter: 60);

    [Fact]
    public void ThreadsDoNotMatter() => Tensors.Sample(
        static (view, weights) =>
        {
            NestedWeight one = Nest(view, weights, threads: 1);
            foreach (int threads in (int[])[2, 7])
            {
                NestedWeight many = Nest(view, weights, threads);
                for (int level = 0; level < 3; level++)
                {
                    Assert.Equal(one.Levels[level], many.Levels[level]);
                    Assert.Equal(one.SqnrDb(level), many.SqnrDb(level));
                }
            }
        },
        iter: 60);

    [Fact]
    public void SqnrIsThatOfTheDequantizedWeights()
    {
        var view = new ChannelView(8, 16, 1, 9);
        float[] weights = TensorValue.Random(view.Count).Floats;
        NestedWeight nested = Nest(view, weights, threads: 1);
        Assert.Equal(Sqnr(i => nested.Levels[0][i], _ => 1), nested.SqnrDb(0), 3);
        Assert.Equal(Sqnr(i => nested.Levels[1][i] * 8, _ => 1), nested.SqnrDb(1), 3);
        Assert.Equal(Sqnr(i => nested.Levels[2][i] * 32, _ => 1), nested.SqnrDb(2), 3);
        Assert.True(nested.SqnrDb(0) > nested.SqnrDb(1) + 10);

        float[] gains = [.. Enumerable.Range(0, 2 * view.OutputChannels).Select(static i => 0.9f + (0.01f * i))];
        sbyte[][] below = [[.. nested.Levels[2].Select(static value => (sbyte)(2 * value))], nested.Levels[2]];
        NestedWeight other = nested.WithLevels(
            TensorProto.FromFloats("w", [weights.Length], weights),
            [nested.Levels[0], .. below],
            [.. gains.Select((gain, i) => gain * nested.Scales[i % view.OutputChannels])],
            new ParallelOptions());
        Assert.Equal(nested.SqnrDb(0), other.SqnrDb(0));
        Assert.Equal(Sqnr(i => below[0][i] * 8, channel => gains[channel]), other.SqnrDb(1), 3);
        Assert.Equal(Sqnr(i => below[1][i] * 32, channel => gains[view.OutputChannels + channel]), other.SqnrDb(2), 3);

        double Sqnr(Func<int, int> integer, Func<int, float> gain)
        {
            double signal = 0, noise = 0;
            for (int i = 0; i < weights.Length; i++)
            {
                int channel = i / view.WeightsPerChannel;
                double error = ((integer(i) - nested.ZeroPoints[channel]) * (double)nested.Scales[channel] * gain(channel)) - weights[i];
                signal += (double)weights[i] * weights[i];
                noise += error * error;
            }

            return 10 * Math.Log10(signal / noise);
        }
    }

    [Fact]
    public void ATensorThatDoesNotFitTheViewIsRefused() =>
        Assert.Throws<ArgumentException>(() => Nest(new ChannelView(2, 2, 1, 1), new float[3], threads: 1));

    private static NestedWeight Nest(ChannelView view, float[] weights, int threads) =>
        WeightNester.Nest(
            TensorProto.FromFloats("w", [weights.Length], weights),
            view,
            Options,
            new ParallelOptions { MaxDegreeOfParallelism = threads });

    /// <summary>Element (m, inner, tap) of the row-major [Groups, Inner, Channels, Taps].</summary>
    private static int[] IndicesOf(ChannelView view, int m)
    {
        (int outer, int channel) = Math.DivRem(m, view.Channels);
        return
        [
            .. from inner in Enumerable.Range(0, view.Inner)
               from tap in Enumerable.Range(0, view.Taps)
               select (((((outer * view.Inner) + inner) * view.Channels) + channel) * view.Taps) + tap,
        ];
    }
}
