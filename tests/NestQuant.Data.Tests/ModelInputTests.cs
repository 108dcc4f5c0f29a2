using NestQuant.Onnx;
using NestQuant.TestSupport;

namespace NestQuant.Data.Tests;

public sealed class ModelInputTests
{
    private static readonly ModelInput Image = new("image", NpyType.Float32, [-1, 1, 8, 8]);
    private static readonly ModelInput Mask = new("mask", NpyType.Int64, [-1, 4]);

    [Theory]
    [InlineData(3, 1, 8, 8)]
    [InlineData(3, 64)]
    [InlineData(3, 8, 8)]
    [InlineData(3, 1, 64)]
    public void RowsOfAnotherRankAreReshaped(params int[] shape)
    {
        float[] values = [.. Enumerable.Range(0, 192).Select(i => (float)i)];
        NpyArray fitted = Image.Fit(NpyArray.FromFloats(Extents(shape), values));
        Assert.Equal([3, 1, 8, 8], fitted.Shape);
        Assert.Equal(values, fitted.ToFloats());
    }

    [Theory]
    [InlineData("[?, 1, 8, 8], the data has [3, 65]", 3, 65)]
    [InlineData("[?, 1, 8, 8], the data has [64]", 64)]
    [InlineData("[?, 1, 8, 8], the data has [2, 96]", 2, 96)]
    public void WhatHasOtherElementsIsRefused(string message, params int[] shape)
    {
        var array = NpyArray.FromFloats(Extents(shape), new float[shape.Aggregate((product, extent) => product * extent)]);
        Assert.Contains(
            $"input 'image' takes shape {message}",
            Assert.Throws<ModelException>(() => Image.Fit(array)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void AFixedBatchMustBeMet()
    {
        ModelInput two = Image with { Shape = [2, 1, 8, 8] };
        Assert.Equal((2, null), (two.FixedBatch, Image.FixedBatch));
        Assert.Equal([2, 1, 8, 8], two.Fit(NpyArray.FromFloats([2, 64], new float[128])).Shape);
        Assert.Contains(
            "takes shape [2, 1, 8, 8]",
            Assert.Throws<ModelException>(() => two.Fit(NpyArray.FromFloats([1, 64], new float[64]))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void IntegersBecomeFloatsAndFloatsNoIntegers()
    {
        Assert.Equal([1, 2, 3, 4], new ModelInput("x", NpyType.Float32, [-1, 4]).Fit(NpyArray.FromInt64s([1, 4], [1, 2, 3, 4])).ToFloats());
        Assert.StartsWith(
            "input 'mask': ",
            Assert.Throws<ModelException>(() => Mask.Fit(NpyArray.FromFloats([1, 4], new float[4]))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void ArraysAreFoundByNameElseByPosition()
    {
        ModelInput[] inputs = [Image, Mask];
        NpyArray image = NpyArray.FromFloats([1, 64], new float[64]), mask = NpyArray.FromInt64s([1, 4], [1, 2, 3, 4]);
        Assert.Same(mask, ModelInput.Find(inputs, Mask, [new("mask", mask), new("image", image)]));
        Assert.Same(mask, ModelInput.Find(inputs, Mask, [new(null, image), new(null, mask)]));
        foreach (NamedArray[] wrong in (NamedArray[][])[[new(null, image)], [new("image", image), new("Mask", mask)]])
            Assert.Contains(
                "no data for input 'mask': the model takes 'image', 'mask'",
                Assert.Throws<ModelException>(() => ModelInput.Find(inputs, Mask, wrong)).Message,
                StringComparison.Ordinal);
    }

    /// <summary>An initializer gives an input its default: it need not be fed.</summary>
    [Fact]
    public void AModelSaysWhatItMustBeFed()
    {
        ModelProto model = new GraphBuilder().Input("x", -1, 3).Input("k", 3).Random("k", 3).Node("y = Add(x, k)").Output("y").Model();
        ModelInput input = Assert.Single(ModelInput.Of(model));
        Assert.Equal(("x", NpyType.Float32), (input.Name, input.Type));
        Assert.Equal([-1, 3], input.Shape);

        model = new GraphBuilder().Input(TensorDataType.String, "words", 3).Node("y = Identity(words)").Output("y").Model();
        Assert.Contains(
            "input 'words' is not a tensor of numbers",
            Assert.Throws<ModelException>(() => ModelInput.Of(model)).Message,
            StringComparison.Ordinal);
    }

    private static long[] Extents(int[] shape) => Array.ConvertAll(shape, extent => (long)extent);
}
