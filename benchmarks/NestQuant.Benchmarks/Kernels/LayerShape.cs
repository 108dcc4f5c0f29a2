using static System.FormattableString;

namespace NestQuant.Benchmarks.Kernels;

/// <summary>
/// One convolution or, with a height and kernel of 1, one matrix product over <see cref="Width"/> rows; batch 1, "same" padding.
/// </summary>
/// <param name="Height">Input lines.</param>
/// <param name="Width">Input columns.</param>
/// <param name="Inputs">Input channels.</param>
/// <param name="Outputs">Output channels.</param>
/// <param name="Kernel">Extent of the square kernel, odd.</param>
/// <param name="Stride">Stride along both axes.</param>
/// <param name="Groups">Groups.</param>
/// <param name="IsProduct">Whether the layer is a matrix product.</param>
internal sealed record LayerShape(
    int Height, int Width, int Inputs, int Outputs, int Kernel, int Stride = 1, int Groups = 1, bool IsProduct = false)
{
    /// <summary>Layers of ResNet-50, MobileNetV2, ResNeXt-50 and transformers.</summary>
    public static IReadOnlyList<LayerShape> All { get; } =
    [
        new(56, 56, 64, 64, 1),
        new(56, 56, 64, 256, 1),
        new(56, 56, 256, 64, 1),
        new(56, 56, 64, 64, 3),
        new(28, 28, 128, 128, 3),
        new(28, 28, 512, 128, 1),
        new(28, 28, 128, 512, 1),
        new(56, 56, 256, 512, 1, Stride: 2),
        new(56, 56, 128, 128, 3, Stride: 2),
        new(14, 14, 256, 256, 3),
        new(14, 14, 1024, 256, 1),
        new(14, 14, 256, 1024, 1),
        new(7, 7, 512, 512, 3),
        new(7, 7, 2048, 512, 1),
        new(7, 7, 512, 2048, 1),
        new(224, 224, 3, 64, 7, Stride: 2),
        new(224, 224, 3, 32, 3, Stride: 2),
        new(112, 112, 32, 32, 3, Groups: 32),
        new(112, 112, 96, 96, 3, Stride: 2, Groups: 96),
        new(56, 56, 144, 144, 3, Groups: 144),
        new(28, 28, 192, 192, 3, Groups: 192),
        new(14, 14, 576, 576, 3, Groups: 576),
        new(7, 7, 960, 960, 3, Groups: 960),
        new(112, 112, 16, 96, 1),
        new(56, 56, 144, 24, 1),
        new(14, 14, 384, 64, 1),
        new(14, 14, 96, 576, 1),
        new(7, 7, 320, 1280, 1),
        new(56, 56, 128, 128, 3, Groups: 32),
        new(14, 14, 512, 512, 3, Groups: 32),
        new(1, 128, 768, 3072, 1, IsProduct: true),
        new(1, 1, 4096, 4096, 1, IsProduct: true),
        new(1, 4, 1024, 4096, 1, IsProduct: true),
    ];

    /// <summary>The layer in words, as the filter sees it.</summary>
    public string Name => IsProduct
        ? Invariant($"MatMul {Width}x{Inputs}x{Outputs}")
        : Invariant($"{Kind} {Kernel}x{Kernel} {Height}x{Width} {Inputs}-{Outputs}") + (Stride == 1 ? "" : Invariant($" s{Stride}"));

    /// <summary>Padding on every side.</summary>
    public int Pad => Kernel / 2;

    /// <summary>Output lines.</summary>
    public int OutputHeight => (Height + 2 * Pad - Kernel) / Stride + 1;

    /// <summary>Output columns.</summary>
    public int OutputWidth => (Width + 2 * Pad - Kernel) / Stride + 1;

    /// <summary>Multiply-accumulates of one run, those with padding included.</summary>
    public double MultiplyAdds => (double)OutputHeight * OutputWidth * Outputs * (Inputs / Groups) * Kernel * Kernel;

    private string Kind => Groups == 1 ? "conv" : Groups == Inputs ? "depthwise" : Invariant($"conv g{Groups}");
}
