using CsCheck;
using NestQuant.Onnx;
using NestQuant.Passes.GroupNL;
using NestQuant.Passes.GroupNL.Expansion;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.GroupNL;

/// <summary>Seed convolutions keep trained filters: those that explain the others best.</summary>
public sealed class SeedFiltersTests
{
    /// <summary>Filters 1 and 3 are multiples of 0 and 2: of each pair, the larger one is kept.</summary>
    [Fact]
    public void FiltersThatOthersExplainGo() =>
        Assert.Equal([[2, 4, 0], [0, 0, 3]], Kept([[1, 2, 0], [2, 4, 0], [0, 0, 3], [0, 0, -1]], "r=2,g=1"));

    [Fact]
    public void AmongEqualFiltersTheFirstIsKept() => Assert.Equal([[1, 1], [0, 0]], Kept([[1, 1], [0, 0], [1, 1], [1, 1]], "r=2,g=1"));

    /// <summary>The second filter is not the next largest, but the one with the largest part orthogonal to the first.</summary>
    [Fact]
    public void WhatIsExplainedAlreadyDoesNotCount() =>
        Assert.Equal([[10, 0], [0, 1]], Kept([[10, 0], [9, 0.5f], [8, 0], [0, 1]], "r=2,g=1"));

    /// <summary>Two groups of two inputs: filters of each are cut down to them.</summary>
    [Fact]
    public void SparseSeedsKeepWhatReadsTheirInputs() =>
        Assert.Equal([[5, 1], [7, 7]], Kept([[1, 2, 3, 4], [5, 1, 0, 0], [0, 0, 7, 7], [1, 1, 1, 1]], "r=2,g=1,sparse"));

    [Fact]
    public void DepthwiseSeedsKeepTheStrongerOfTheirTwoFilters() =>
        Assert.Equal([[0, -3], [5, 0]], Kept([[2], [-3], [5], [4]], "r=2,g=1", group: 4));

    /// <summary>With as many independent filters as seeds, the kept ones span all others.</summary>
    [Fact]
    public void KeptFiltersAreTrainedOnesInOrder() =>
        Gen.Select(Gen.Int[2, 6], Gen.Int[1, 5], Gen.Int[2, 3], Gen.Float[-3, 3].Array[100]).Sample((seeds, inputs, ratio, pool) =>
    {
        float[][] filters =
        [
            .. Enumerable.Range(0, seeds * ratio)
                .Select(m => Enumerable.Range(0, inputs).Select(c => pool[((m * inputs) + c) % pool.Length]).ToArray())
        ];
        float[][] kept = Kept(filters, $"r={ratio},g=1");
        int from = 0;
        foreach (float[] filter in kept)
        {
            from = Array.FindIndex(filters, from, other => other.AsSpan().SequenceEqual(filter)) + 1;
            Assert.True(from > 0);
        }

        Assert.Equal(seeds, kept.Length);
    }, iter: 50);

    /// <summary>Expands a 1x1 convolution and returns the filters of its seed convolution.</summary>
    private static float[][] Kept(float[][] filters, string options, int group = 1)
    {
        int inputs = filters[0].Length * group;
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 1, inputs, 2, 2)
            .Floats("W", [filters.Length, filters[0].Length, 1, 1], [.. filters.SelectMany(static filter => filter)])
            .Node("c: y = Conv(x, W)", AttributeProto.Int("group", group)).Output("y");
        PassRun run = PassRun.Of(new GroupNLExpandPass(GroupNLExpandOptions.Parse(options) with { Include = ["c"] }), graph.Model());
        TensorProto weight = run.Graph.Initializer.Single(static tensor => tensor.Name == "W_seeds");
        return [.. weight.ToFloats().Chunk((int)weight.Dims[1])];
    }
}
