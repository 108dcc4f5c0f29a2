using NestQuant.Onnx;

namespace NestQuant.Benchmarks.Models;

/// <summary>ResNet-shaped models and seeded random weights (He et al., arXiv 1512.03385, table 1; batch norm folded).</summary>
internal static class ResNetModel
{
    /// <summary>ResNet-18, of basic blocks: 11.7M weights.</summary>
    public static ModelProto ResNet18(int seed) => Create("resnet18", [2, 2, 2, 2], BasicBlock, 1, seed);

    /// <summary>ResNet-50, of bottleneck blocks: 25.5M weights.</summary>
    public static ModelProto ResNet50(int seed) => Create("resnet50", [3, 4, 6, 3], Bottleneck, 4, seed);

    /// <summary>ResNet-101, of bottleneck blocks: 44.5M weights.</summary>
    public static ModelProto ResNet101(int seed) => Create("resnet101", [3, 4, 23, 3], Bottleneck, 4, seed);

    private static string BasicBlock(GraphBuilder builder, string x, int channels, int width, int stride) =>
        builder.Conv(builder.Relu(builder.Conv(x, channels, width, kernel: 3, stride)), width, width, kernel: 3);

    private static string Bottleneck(GraphBuilder builder, string x, int channels, int width, int stride)
    {
        string y = builder.Relu(builder.Conv(x, channels, width, kernel: 1));
        y = builder.Relu(builder.Conv(y, width, width, kernel: 3, stride));
        return builder.Conv(y, width, 4 * width, kernel: 1);
    }

    private static ModelProto Create(
        string name, int[] blocks, Func<GraphBuilder, string, int, int, int, string> residual, int expansion, int seed)
    {
        var builder = new GraphBuilder(name, seed);
        string x = builder.Relu(builder.Conv("input", 3, 64, kernel: 7, stride: 2));
        x = builder.Op(
            "MaxPool",
            x,
            AttributeProto.IntList("kernel_shape", 3, 3),
            AttributeProto.IntList("strides", 2, 2),
            AttributeProto.IntList("pads", 1, 1, 1, 1));
        int channels = 64;
        for (int stage = 0; stage < blocks.Length; stage++)
        {
            int width = 64 << stage;
            for (int block = 0; block < blocks[stage]; block++)
            {
                int stride = block == 0 && stage > 0 ? 2 : 1;
                int outputs = expansion * width;
                string shortcut = channels == outputs && stride == 1 ? x : builder.Conv(x, channels, outputs, kernel: 1, stride);
                x = builder.Relu(builder.Add(residual(builder, x, channels, width, stride), shortcut));
                channels = outputs;
            }
        }

        x = builder.Op("Flatten", builder.Op("GlobalAveragePool", x));
        return builder.Build([-1, 3, 224, 224], builder.Gemm(x, channels, 1000), [-1, 1000]);
    }
}
