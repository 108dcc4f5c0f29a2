using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Passes.GroupNL;
using NestQuant.Passes.GroupNL.Expansion;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.GroupNL;

/// <summary>
/// The paper's parameter counts (arXiv 2506.12335, ImageNet): ResNet-101 44.55M, 35.43M with dense and 26.37M with sparse seeds at r = 2;
/// ResNet-50 25.56M, 21.45M and 17.36M. They count convolutions, the classifier, and scale and bias of every batch normalisation.
/// </summary>
public sealed class ExpansionCountTests
{
    private static readonly byte[] Zeros = new byte[4 << 22];

    [Theory]
    [InlineData(101, "r=2", "30 of 104 Conv expanded; parameters 44,549,160 -> 35,425,320; MACs 7,799,357,440 -> ")]
    [InlineData(101, "r=2,sparse", "30 of 104 Conv expanded; parameters 44,549,160 -> 26,366,568; MACs 7,799,357,440 -> ")]
    [InlineData(50, "r=2", "13 of 53 Conv expanded; parameters 25,557,032 -> 21,446,696; MACs 4,087,136,256 -> ")]
    [InlineData(50, "r=2,sparse", "13 of 53 Conv expanded; parameters 25,557,032 -> 17,362,280; MACs 4,087,136,256 -> ")]
    public void ParametersAreThoseOfThePaper(int depth, string options, string summary)
    {
        var context = new ModelContext(ResNet(depth == 101 ? [3, 4, 23, 3] : [3, 4, 6, 3]));
        new GroupNLExpandPass(GroupNLExpandOptions.Parse(options)).Run(context);
        Assert.StartsWith(
            summary,
            context.Decisions.Decisions.Single(static decision => decision.Op == Decision.WholeModel).Note,
            StringComparison.Ordinal);
    }

    /// <summary>
    /// ResNet with bottleneck blocks (arXiv 1512.03385, table 1), the stride in the 3x3 convolution, and weights of zero.
    /// </summary>
    private static ModelProto ResNet(int[] blocks)
    {
        var graph = new GraphBuilder("resnet");
        graph.Input("x", -1, 3, 224, 224);
        int layer = 0;
        string x = ConvNorm("x", 3, 64, 7, 2);
        graph.Node(
            "pool = MaxPool(" + x + ")",
            AttributeProto.IntList("kernel_shape", 3, 3),
            AttributeProto.IntList("strides", 2, 2),
            AttributeProto.IntList("pads", 1, 1, 1, 1));
        x = "pool";
        int channels = 64;
        for (int stage = 0; stage < blocks.Length; stage++)
        {
            int width = 64 << stage;
            for (int block = 0; block < blocks[stage]; block++)
            {
                int stride = block == 0 && stage > 0 ? 2 : 1;
                string shortcut = block == 0 ? ConvNorm(x, channels, 4 * width, 1, stride) : x;
                string y = ConvNorm(ConvNorm(ConvNorm(x, channels, width, 1, 1), width, width, 3, stride), width, 4 * width, 1, 1);
                x = $"sum{layer}";
                graph.Node($"{x} = Add({y}, {shortcut})");
                channels = 4 * width;
            }
        }

        graph.Node("mean = GlobalAveragePool(" + x + ")")
            .Node("flat = Flatten(mean)")
            .Constant(Zero("fc.weight", 1000, channels))
            .Constant(Zero("fc.bias", 1000))
            .Node("y = Gemm(flat, fc.weight, fc.bias)", AttributeProto.Int("transB", 1)).Output("y");
        return graph.Model();

        string ConvNorm(string input, int inputs, int outputs, int kernel, int stride)
        {
            string name = $"l{layer++}";
            graph.Constant(Zero(name + ".weight", outputs, inputs, kernel, kernel));
            foreach (string parameter in (string[])["gamma", "beta", "mean", "var"]) graph.Constant(Zero($"{name}.{parameter}", outputs));
            graph.Node(
                $"{name} = Conv({input}, {name}.weight)",
                AttributeProto.IntList("strides", stride, stride),
                AttributeProto.IntList("pads", kernel / 2, kernel / 2, kernel / 2, kernel / 2))
                .Node($"{name}.norm = BatchNormalization({name}, {name}.gamma, {name}.beta, {name}.mean, {name}.var)");
            return name + ".norm";
        }
    }

    private static TensorProto Zero(string name, params long[] dims)
    {
        var tensor = new TensorProto { Name = name, DataType = TensorDataType.Float };
        tensor.Dims.AddRange(dims);
        tensor.RawData = Zeros.AsMemory(0, (int)tensor.ByteCount);
        return tensor;
    }
}
