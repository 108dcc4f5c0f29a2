namespace NestQuant.Compiler.Cli.Tests;

/// <summary>The trained models and data in golden-models/.</summary>
internal static class Golden
{
    public static string Root { get; } = FindRoot();

    public static string Cnn => Path("digits-cnn.onnx");

    public static string Images => Path("test-images.npy");

    public static string Labels => Path("test-labels.npy");

    public static string Path(string name) => System.IO.Path.Combine(Root, "golden-models", name);

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "NestQuant.Compiler.sln")))
                return folder.FullName;
        }

        throw new InvalidOperationException("the tests run outside of the repository");
    }
}
