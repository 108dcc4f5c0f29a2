using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Files.Transactions;

namespace NestQuant.Passes;

/// <summary>The files of a compiled model, written as part of a transaction.</summary>
/// <param name="Files">The files, data files first.</param>
/// <param name="Staged">Where the models lie until the transaction is committed.</param>
internal sealed record SavedModels(IReadOnlyList<SavedFile> Files, IReadOnlyList<string> Staged)
{
    /// <summary>Writes the model, its data files and, where weights are nested, the part model.</summary>
    public static SavedModels Write(CompileResult result, string path, FileTransaction transaction, CancellationToken cancellation)
    {
        var models = new List<ModelToSave> { new(result.Model, path) };
        if (result.CreatePartModel() is { } part)
            models.Add(new ModelToSave(part, PartPath(path), new SaveOptions { ExternalStem = ModelFile.Stem(path) }));
        IReadOnlyList<SavedFile> files = ModelSaver.Write(models, transaction, cancellation);
        return new SavedModels(files, [.. models.Select(model => transaction.StagedPath(model.Path))]);
    }

    /// <summary>Path of the part model of a model.</summary>
    public static string PartPath(string path) => Beside(path, "part.onnx");

    /// <summary>Paths of all files that a model with nested weights may have.</summary>
    public static IReadOnlyList<string> Expected(string path) => [path, PartPath(path), Beside(path, "high.bin"), Beside(path, "low.bin")];

    private static string Beside(string path, string ending) =>
        Path.Combine(Path.GetDirectoryName(path) ?? "", $"{ModelFile.Stem(Path.GetFileName(path))}.{ending}");
}
