using NestQuant.Onnx;

namespace NestQuant.Benchmarks.Models;

/// <summary>
/// VGG-16-like: its 13 convolutions (Simonyan and Zisserman, arXiv 1409.1556, column D), then one classifier on pooled maps instead of
/// three on all pixels.
/// </summary>
internal static class VggModel
{
    /// <summary>Builds it for 224 x 224 pixels: 15.2M weights.</summary>
    public static ModelProto Create(int seed)
    {
        var builder = new GraphBuilder("vgg16", seed);
        string x = "input";
        int channels = 3;
        foreach ((int width, int layers) in ((int, int)[])[(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)])
        {
            for (int layer = 0; layer < layers; layer++, channels = width)
                x = builder.Relu(builder.Conv(x, channels, width, kernel: 3));
            x = builder.Op("MaxPool", x, AttributeProto.IntList("kernel_shape", 2, 2), AttributeProto.IntList("strides", 2, 2));
        }

        x = builder.Op("Flatten", builder.Op("GlobalAveragePool", x));
        return builder.Build([-1, 3, 224, 224], builder.Gemm(x, channels, 1000), [-1, 1000]);
    }
}
