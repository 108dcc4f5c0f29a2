using CsCheck;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers.Avx2;

/// <summary>How panels are split into a main part that cannot saturate and a sparse excess.</summary>
public unsafe class SplitPanelTests
{
    private const int Limit = 128;

    [SkippableTheory]
    [InlineData(64, 64, 0)]
    [InlineData(-64, -64, 0)]
    [InlineData(127, -128, 0)]
    [InlineData(64, 65, 1)]
    [InlineData(-64, -65, -1)]
    [InlineData(127, 127, 126)]
    [InlineData(-128, -128, -128)]
    public void A_pair_has_an_excess_when_its_sum_exceeds_the_limit(int even, int odd, int excess)
    {
        sbyte[] weights = new sbyte[3 * 128];
        weights[128 + 2] = (sbyte)even;
        weights[128 + 3] = (sbyte)odd;

        Split split = Prepare(weights);

        Assert.Equal(excess == 0 ? [] : [1], split.Groups[0]);
        Assert.All(split.Groups[1..], Assert.Empty);
        Assert.Equal(excess, split.Excess[128 + 2]);
        Assert.Equal(even - excess, split.Main[128 + 2]);
        Assert.Equal(odd, split.Main[128 + 3]);
    }

    [SkippableFact]
    public void Small_excesses_form_one_run_and_large_ones_several()
    {
        sbyte[] weights = new sbyte[5 * 128];
        weights.AsSpan().Fill(70);
        Assert.Equal([5], Prepare(weights).RunLengths[0]);
        weights.AsSpan().Fill(100);
        Assert.Equal([1, 1, 1, 1, 1], Prepare(weights).RunLengths[0]);
        weights.AsSpan().Fill(96);
        Assert.Equal([2, 2, 1], Prepare(weights).RunLengths[3]);
    }

    [SkippableFact]
    public void Normally_distributed_weights_have_few_excesses()
    {
        Random random = new(1);
        sbyte[] weights = new sbyte[64 * 128];
        for (int i = 0; i < weights.Length; i++)
        {
            double normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            weights[i] = (sbyte)Math.Clamp(Math.Round(36 * normal), -127, 127);
        }

        Assert.InRange(Prepare(weights).Groups.Sum(static groups => groups.Length), 1, 64 * 4 / 4);
    }

    [SkippableFact]
    public void Parts_add_up_to_the_weights_and_no_sum_of_16_bits_saturates()
    {
        SkipWithoutAvx2(); // a property has no skipped samples
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 128], Gen.Int[0, int.MaxValue]).Sample(
            (groups, limit, seed) =>
            {
                Random random = new(seed);
                sbyte[] weights = new sbyte[groups * 128];
                for (int i = 0; i < weights.Length; i++)
                    weights[i] = (sbyte)(random.Next(4) == 0 ? -limit : random.Next(-limit, limit));

                Split split = Prepare(weights);

                for (int i = 0; i < weights.Length; i++)
                    Assert.Equal(weights[i], split.Main[i] + split.Excess[i]);
                for (int i = 0; i < weights.Length; i += 2)
                {
                    Assert.InRange(Math.Max((int)split.Main[i], 0) + Math.Max((int)split.Main[i + 1], 0), 0, Limit);
                    Assert.InRange(Math.Min((int)split.Main[i], 0) + Math.Min((int)split.Main[i + 1], 0), -Limit, 0);
                    Assert.Equal(0, split.Excess[i + 1]);
                }

                Assert.InRange(split.LargestRunSum, 0, Limit);
            },
            iter: 200);
    }

    private static void SkipWithoutAvx2() => Skip.IfNot(System.Runtime.Intrinsics.X86.Avx2.IsSupported, "the processor has no AVX2");

    private static Split Prepare(sbyte[] weights)
    {
        SkipWithoutAvx2();
        int groups = weights.Length / 128;
        sbyte[] panel = new sbyte[SplitPanel.Bytes(groups)];
        weights.CopyTo(panel, 0);
        fixed (sbyte* values = panel)
        {
            SplitPanel.Prepare(values, groups);
            Split split = new(panel[..weights.Length], new sbyte[weights.Length]);
            for (int vector = 0; vector < split.Groups.Length; vector++)
                Read(values, groups, vector, split);
            return split;
        }
    }

    private static void Read(sbyte* panel, int groups, int vector, Split split)
    {
        sbyte* excess = SplitPanel.Excess(panel, groups, vector);
        ushort* next = SplitPanel.Runs(panel, groups, vector);
        List<int> lengths = [], read = [];
        for (int length = *next++; length != 0; length = *next++)
        {
            lengths.Add(length);
            int[] sums = new int[SplitPanel.VectorBytes];
            for (int i = 0; i < length; i++, excess += SplitPanel.VectorBytes)
            {
                int group = *next++;
                read.Add(group);
                for (int place = 0; place < SplitPanel.VectorBytes; place++)
                {
                    sums[place] += Math.Abs((int)excess[place]);
                    split.Excess[group * 128 + vector * SplitPanel.VectorBytes + place] = excess[place];
                }
            }

            split.LargestRunSum = Math.Max(split.LargestRunSum, sums.Max());
        }

        split.RunLengths[vector] = [.. lengths];
        split.Groups[vector] = [.. read];
    }

    /// <summary>A prepared panel, its excess spread over the weights' places.</summary>
    private sealed class Split(sbyte[] main, sbyte[] excess)
    {
        public sbyte[] Main { get; } = main;

        public sbyte[] Excess { get; } = excess;

        public int[][] RunLengths { get; } = new int[KernelTier.TileChannels / SplitPanel.VectorChannels][];

        public int[][] Groups { get; } = new int[KernelTier.TileChannels / SplitPanel.VectorChannels][];

        public int LargestRunSum { get; set; }
    }
}
