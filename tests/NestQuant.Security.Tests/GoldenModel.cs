namespace NestQuant.Security.Tests;

/// <summary>The trained models in golden-models/.</summary>
internal static class GoldenModel
{
    /// <summary>Path of the convolutional network for digits.</summary>
    public static string Cnn
    {
        get
        {
            for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            {
                string path = Path.Combine(folder.FullName, "golden-models", "digits-cnn.onnx");
                if (File.Exists(path))
                    return path;
            }

            throw new InvalidOperationException("the tests run outside of the repository");
        }
    }
}
