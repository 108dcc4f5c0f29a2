using CsCheck;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions;
using NestQuant.RuntimeOps.Tests.Kernels.Tiers;

namespace NestQuant.RuntimeOps.Tests.Kernels.Execution;

public class PartitionTests
{
    [Theory]
    [InlineData(17, 1, 1, 17)]
    [InlineData(17, 4, 2, 4)] // 5 parts, 9 and 8 units; 4 parts of 5 would be 10 and 7
    [InlineData(66, 4, 2, 11)] // 33 and 33
    [InlineData(262, 13, 2, 19)] // 14 parts; 13 would be 7 and 6
    [InlineData(30, 3, 2, 5)]
    [InlineData(3, 8, 2, 1)]
    [InlineData(1, 8, 4, 1)]
    public void Threads_end_at_about_the_same_time(int units, int leastParts, int threads, int size) =>
        Assert.Equal(size, Partition.UnitsPerPart(units, leastParts, threads));

    [Fact]
    public void Parts_are_never_fewer_than_asked_for_and_never_end_later_than_that_many() =>
        Gen.Select(Gen.Int[1, 2000], Gen.Int[1, 40], Gen.Int[1, 9]).Sample((units, leastParts, threads) =>
        {
            int size = Partition.UnitsPerPart(units, leastParts, threads), most = (units - 1) / Math.Min(leastParts, units) + 1;
            return size >= 1 && size <= most && End(units, size, threads) <= End(units, most, threads);
        });

    /// <summary>Cut by panels, layers of few output channels and positions would be one part, or two of different size.</summary>
    [Theory]
    [MemberData(nameof(TestTiers.OfTheLibrary), MemberType = typeof(TestTiers))]
    public void No_layer_is_left_to_one_thread(string tier)
    {
        foreach ((int extent, int inputs, int outputs) in new[] { (14, 384, 64), (14, 576, 96), (7, 960, 160), (7, 960, 320) })
        {
            ConvolutionAxis axis = new(extent, 1, 1, 1, 0, extent);
            ConvolutionCase c = new(new ConvolutionGeometry(1, axis, axis, 1, inputs, outputs), new NestedBits(8, 6), 1, 0, isPart: false);
            foreach (int threads in new[] { 2, 4 })
            {
                CountingLoop loop = new();
                c.RunRepeatedly(new NestedConvolution(TestTiers.Get(tier), threads), loop, new Requantization(2, 100), times: 1);
                Assert.True(loop.LastParts >= threads, $"{c.Geometry}: {loop.LastParts} parts for {threads} threads");
            }
        }
    }

    /// <summary>The definition: every part goes to the thread that is free first.</summary>
    private static int End(int units, int size, int threads)
    {
        int[] ends = new int[threads];
        for (int first = 0; first < units; first += size)
            ends[Array.IndexOf(ends, ends.Min())] += Math.Min(size, units - first);
        return ends.Max();
    }

    private sealed class CountingLoop : ParallelLoop
    {
        public int LastParts { get; private set; }

        public override void Run(int count, Action<int> body)
        {
            LastParts = count;
            new BackwardLoop().Run(count, body);
        }
    }
}
