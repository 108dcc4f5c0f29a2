using CsCheck;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Nesting.Calibrated;
using NestQuant.Passes.Operators;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Nesting.Calibrated;

/// <summary>Rows times weights are what ONNX Runtime computes.</summary>
public sealed class LayerRowsTests
{
    private static readonly Gen<ConvolutionCase> Convolutions =
        from axes in Gen.Int[1, 3]
        from groups in Gen.Int[1, 3]
        from inner in Gen.Int[1, 3]
        from channels in Gen.Int[1, 2]
        from kernel in Gen.Long[1, 3].Array[axes]
        from stride in Gen.Long[1, 3].Array[axes]
        from dilation in Gen.Long[1, 2].Array[axes]
        from pads in Gen.Long[0, 2].Array[2 * axes]
        from size in Gen.Long[5, 8].Array[axes]
        from padding in Gen.Int[0, 3].Select(static i => ((string[])["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"])[i])
        select new ConvolutionCase(groups, inner, groups * channels, kernel, stride, dilation, pads, size, padding);

    [Fact]
    public void ConvolutionsHaveTheInputsUnderTheirKernel() => Convolutions.Sample(AssertConvolution, iter: 150);

    [Theory]
    [InlineData("y = Gemm(x, w)", 0, 0)]
    [InlineData("y = Gemm(x, w)", 0, 1)]
    [InlineData("y = Gemm(x, w)", 1, 0)]
    [InlineData("y = Gemm(x, w)", 1, 1)]
    public void MatricesHaveTheirRows(string node, int transA, int transB)
    {
        long[] shape = transA == 0 ? [4, 3] : [3, 4], weight = transB == 0 ? [3, 5] : [5, 3];
        GraphBuilder graph = new GraphBuilder()
            .Input("x", shape)
            .Random("w", weight)
            .Node(node, AttributeProto.Int("transA", transA), AttributeProto.Int("transB", transB))
            .Output("y");
        AssertProduct(graph, TensorValue.Random(shape), last: true);
    }

    [Fact]
    public void ProductsHaveRowsOfAllBatches() => AssertProduct(
        new GraphBuilder().Input("x", 2, 4, 3).Random("w", 3, 5).Node("y = MatMul(x, w)").Output("y"),
        TensorValue.Random(2, 4, 3),
        last: true);

    [Fact]
    public void OtherOperatorsSayWhyNot()
    {
        NodeProto product = GraphBuilder.Parse("y = MatMul(x, w)"), transposed = GraphBuilder.Parse("y = ConvTranspose(x, w)");

        Assert.Null(LayerRows.Of(product, [2, 3, 4], new ChannelView(2, 3, 4, 1), out string? reason));
        Assert.Equal("its weight is a batch of matrices", reason);
        Assert.Null(LayerRows.Of(transposed, [2, 3, 4, 4], new ChannelView(1, 2, 3, 16), out reason));
        Assert.Equal("there is no calibrated rounding for this ConvTranspose", reason);
    }

    [Fact]
    public void AnInputOfAnotherModelIsRefused()
    {
        NodeProto conv = GraphBuilder.Parse("stem: y = Conv(x, w)");
        LayerRows rows = LayerRows.Of(conv, [4, 3, 1, 1], new ChannelView(4, 3, 1, 1), out _)!;

        ModelException error = Assert.Throws<ModelException>(() => rows.Count([1, 2, 8, 8]));
        Assert.StartsWith(
            "Conv 'stem' gets an input of shape [1, 2, 8, 8] on the calibration data", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "[4, 5]")]
    [InlineData(1, "[4, 5]")]
    public void AMatrixOfAnotherModelIsRefused(int transA, string shape)
    {
        NodeProto gemm = GraphBuilder.Parse("head: y = Gemm(x, w)", AttributeProto.Int("transA", transA));
        LayerRows rows = LayerRows.Of(gemm, [3, 2], new ChannelView(1, 2, 3, 1), out _)!;

        ModelException error = Assert.Throws<ModelException>(() => rows.Count([4, 5]));
        Assert.StartsWith($"Gemm 'head' gets an input of shape {shape}", error.Message, StringComparison.Ordinal);
    }

    private static void AssertConvolution(ConvolutionCase random)
    {
        long[] shape = [2, random.Groups * random.Inner, .. random.Size];
        List<AttributeProto> attributes =
        [
            AttributeProto.Int("group", random.Groups),
            AttributeProto.IntList("strides", random.Stride),
            AttributeProto.String("auto_pad", random.Padding),
        ];
        // ONNX Runtime has no dilation with padding that it finds itself.
        if (random.Padding is "NOTSET" or "VALID") attributes.Add(AttributeProto.IntList("dilations", random.Dilation));
        if (random.Padding == "NOTSET") attributes.Add(AttributeProto.IntList("pads", random.Pads));
        GraphBuilder graph = new GraphBuilder()
            .Input("x", shape)
            .Random("w", [random.Channels, random.Inner, .. random.Kernel])
            .Node("y = Conv(x, w)", [.. attributes])
            .Output("y");
        AssertProduct(graph, TensorValue.Random(shape), last: false);
    }

    /// <summary>Compares with ONNX Runtime.</summary>
    /// <param name="graph">A graph of one node.</param>
    /// <param name="x">Its input.</param>
    /// <param name="last">Whether channels are the last axis of the result, else they are the second.</param>
    private static void AssertProduct(GraphBuilder graph, TensorValue x, bool last)
    {
        ModelProto model = graph.Model();
        NodeProto node = model.Graph!.Node[0];
        TensorProto weight = model.Graph.Initializer[0];
        ChannelView view = WeightView.Of(node, weight)!.Value;
        LayerRows rows = LayerRows.Of(node, weight.Dims, view, out string? reason)!;
        Assert.Null(reason);
        float[] weights = ChannelMajor.From<float>(weight.ToFloats(), view);
        Assert.Equal(weight.ToFloats(), ChannelMajor.To<float>(weights, view));

        TensorValue y = ModelRunner.Run(model, ("x", x))["y"];
        int count = rows.Count(x.Shape), images = (int)x.Shape[0], channels = view.OutputChannels;
        Assert.Equal(y.Floats.Length, count * channels);
        for (int group = 0; group < rows.Groups; group++)
        {
            var values = new float[count * rows.Length];
            // In two steps, so that the first row is not always 0.
            rows.Gather(x.Floats, x.Shape, group, 0, values.AsSpan(0, rows.Length));
            rows.Gather(x.Floats, x.Shape, group, 1, values.AsSpan(rows.Length));
            for (int row = 0; row < count; row++)
            {
                for (int i = 0; i < rows.ChannelsPerGroup; i++)
                {
                    int m = (group * rows.ChannelsPerGroup) + i;
                    float sum = 0;
                    for (int k = 0; k < rows.Length; k++) sum += values[(row * rows.Length) + k] * weights[(m * rows.Length) + k];
                    int pixels = count / images;
                    int element = last ? (row * channels) + m : ((((row / pixels) * channels) + m) * pixels) + (row % pixels);
                    Assert.Equal(y.Floats[element], sum, 1e-4);
                }
            }
        }
    }

    private sealed record ConvolutionCase(
        int Groups, int Inner, int Channels, long[] Kernel, long[] Stride, long[] Dilation, long[] Pads, long[] Size, string Padding);
}
