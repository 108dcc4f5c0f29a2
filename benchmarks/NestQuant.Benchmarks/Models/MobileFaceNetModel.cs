using NestQuant.Onnx;

namespace NestQuant.Benchmarks.Models;

/// <summary>MobileFaceNet with seeded random weights (Chen et al., arXiv 1804.07573, table 1; batch norm folded): 1.0M weights.</summary>
internal static class MobileFaceNetModel
{
    private const int Embedding = 128, LastWidth = 512;

    // Expansion, output channels, blocks and stride of the first block.
    private static readonly (int Expansion, int Outputs, int Blocks, int Stride)[] Stages =
        [(2, 64, 5, 2), (4, 128, 1, 2), (2, 128, 6, 1), (4, 128, 1, 2), (2, 128, 2, 1)];

    /// <summary>Builds it for 112 x 112 pixels.</summary>
    public static ModelProto Create(int seed)
    {
        var builder = new GraphBuilder("mobilefacenet", seed);
        int channels = 64;
        string x = builder.PRelu(builder.Conv("input", 3, channels, kernel: 3, stride: 2), channels);
        x = builder.PRelu(builder.Conv(x, channels, channels, kernel: 3, group: channels), channels);
        foreach ((int expansion, int outputs, int blocks, int firstStride) in Stages)
        {
            for (int block = 0; block < blocks; block++)
            {
                int stride = block == 0 ? firstStride : 1, width = expansion * channels;
                string y = builder.PRelu(builder.Conv(x, channels, width, kernel: 1), width);
                y = builder.PRelu(builder.Conv(y, width, width, kernel: 3, stride, group: width), width);
                y = builder.Conv(y, width, outputs, kernel: 1);
                x = stride == 1 && channels == outputs ? builder.Add(x, y) : y;
                channels = outputs;
            }
        }

        x = builder.PRelu(builder.Conv(x, channels, LastWidth, kernel: 1), LastWidth);
        x = builder.Op("Flatten", builder.Op("GlobalAveragePool", x));
        return builder.Build([-1, 3, 112, 112], builder.Gemm(x, LastWidth, Embedding), [-1, Embedding]);
    }
}
