using NestQuant.Onnx;

namespace NestQuant.Benchmarks.Models;

/// <summary>MobileNetV2 with seeded random weights (Sandler et al., arXiv 1801.04381, table 2; batch norm folded): 3.5M weights.</summary>
internal static class MobileNetV2Model
{
    // Expansion, output channels, blocks and stride of the first block.
    private static readonly (int Expansion, int Outputs, int Blocks, int Stride)[] Stages =
        [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)];

    /// <summary>Builds it for 224 x 224 pixels.</summary>
    public static ModelProto Create(int seed)
    {
        var builder = new GraphBuilder("mobilenetv2", seed);
        int channels = 32;
        string x = builder.Relu6(builder.Conv("input", 3, channels, kernel: 3, stride: 2));
        foreach ((int expansion, int outputs, int blocks, int firstStride) in Stages)
        {
            for (int block = 0; block < blocks; block++)
            {
                int stride = block == 0 ? firstStride : 1;
                int width = expansion * channels;
                string y = expansion == 1 ? x : builder.Relu6(builder.Conv(x, channels, width, kernel: 1));
                y = builder.Relu6(builder.Conv(y, width, width, kernel: 3, stride, group: width));
                y = builder.Conv(y, width, outputs, kernel: 1);
                x = stride == 1 && channels == outputs ? builder.Add(x, y) : y;
                channels = outputs;
            }
        }

        x = builder.Relu6(builder.Conv(x, channels, 1280, kernel: 1));
        x = builder.Op("Flatten", builder.Op("GlobalAveragePool", x));
        return builder.Build([-1, 3, 224, 224], builder.Gemm(x, 1280, 1000), [-1, 1000]);
    }
}
