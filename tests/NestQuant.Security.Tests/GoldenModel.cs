using NestQuant.TestSupport;

namespace NestQuant.Security.Tests;

/// <summary>The trained models in golden-models/.</summary>
internal static class GoldenModel
{
    /// <summary>Path of the convolutional network for digits.</summary>
    public static string Cnn { get; } = Path.Combine(Checkout.Root, "golden-models", "digits-cnn.onnx");
}
