using System.Globalization;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Operators;

public sealed class SymbolicShapesTests
{
    [Theory]
    [InlineData("Conv(x, W)", "strides=2,2", "pads=1,1,1,1")]
    [InlineData("Conv(x, W)", "strides=2,1", "dilations=2,1", "pads=0,1,2,1")]
    [InlineData("Conv(x, W)", "strides=2,3", "auto_pad=SAME_UPPER")]
    [InlineData("Conv(x, W)", "auto_pad=SAME_LOWER")]
    [InlineData("MaxPool(x)", "kernel_shape=3,2", "strides=2,2")]
    [InlineData("Concat(x, x)", "axis=1")]
    [InlineData("Reshape(x, reshaped)")]
    [InlineData("Pad(x, padding)")]
    [InlineData("Transpose(x)", "perm=0,2,3,1")]
    [InlineData("GlobalAveragePool(x)")]
    [InlineData("MatMul(x, M)")]
    [InlineData("Mul(x, offset)")]
    [InlineData("ConstantOfShape(constant)")]
    [InlineData("Sigmoid(x)")]
    public void ExtentsAreThoseOfOnnxRuntime(string node, params string[] attributes)
    {
        ModelProto model = Graph().Node($"y = {node}", Array.ConvertAll(attributes, Attribute)).Output("y").Model();
        long?[] expected = [.. Run(model).Shape.Select(static extent => (long?)extent)];
        Assert.Equal(expected, new SymbolicShapes(GraphView.Of(model.MainGraph())).Extents("y"));
    }

    [Fact]
    public void EveryPartOfASplitHasTheSameExtents()
    {
        ModelProto model = Graph().Node("y, z = Split(x)", AttributeProto.Int("axis", 1)).Output("y", "z").Model();
        var shapes = new SymbolicShapes(GraphView.Of(model.MainGraph()));
        Assert.Equal([2, 2, 7, 6], shapes.Extents("z")!);
        Assert.True(shapes.AreEqual("y", "z"));
        Assert.Equal([2, 2, 7, 6], Run(model).Shape);
    }

    [Theory]
    [InlineData("Conv(x, W)", "strides=0,0")]
    [InlineData("Conv(x, W)", "strides=1")]
    [InlineData("Conv(x, W)", "pads=1,1")]
    [InlineData("Conv(x, W)", "dilations=1,1,1")]
    [InlineData("Conv(x, M)")]
    [InlineData("MaxPool(x)", "kernel_shape=3")]
    [InlineData("Transpose(x)", "perm=0,1,2,9")]
    [InlineData("Transpose(x)", "perm=0,1,2,-1")]
    [InlineData("Split(x)", "axis=7")]
    [InlineData("Concat(x, constant)", "axis=-9")]
    [InlineData("Pad(x, constant)")]
    public void WhatIsNotValidHasNoShape(string node, params string[] attributes)
    {
        ModelProto model = Graph().Node($"y = {node}", Array.ConvertAll(attributes, Attribute)).Output("y").Model();
        Assert.Null(new SymbolicShapes(GraphView.Of(model.MainGraph())).Extents("y"));
    }

    private static TensorValue Run(ModelProto model) => ModelRunner.Run(model, ("x", TensorValue.Random(2, 4, 7, 6)))["y"];

    private static GraphBuilder Graph() => new GraphBuilder()
        .Input("x", 2, 4, 7, 6)
        .Random("W", 5, 4, 3, 3)
        .Random("M", 6, 8)
        .Random("offset", 4, 1, 1)
        .Int64s("constant", 2, 3)
        .Int64s("reshaped", 0, -1, 6)
        .Int64s("padding", 0, 0, 1, 2, 0, 1, 0, 3);

    private static AttributeProto Attribute(string text)
    {
        string[] parts = text.Split('=');
        return parts[1].StartsWith("SAME", StringComparison.Ordinal) ? AttributeProto.String(parts[0], parts[1])
            : parts[0] == "axis" ? AttributeProto.Int(parts[0], Number(parts[1]))
            : AttributeProto.IntList(parts[0], [.. parts[1].Split(',').Select(Number)]);
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
