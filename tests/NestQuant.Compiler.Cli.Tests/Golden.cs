using NestQuant.TestSupport;

namespace NestQuant.Compiler.Cli.Tests;

/// <summary>The trained models and data in golden-models/.</summary>
internal static class Golden
{
    public static string Cnn => Path("digits-cnn.onnx");

    public static string Images => Path("test-images.npy");

    public static string Labels => Path("test-labels.npy");

    public static string Path(string name) => System.IO.Path.Combine(Checkout.Root, "golden-models", name);
}
