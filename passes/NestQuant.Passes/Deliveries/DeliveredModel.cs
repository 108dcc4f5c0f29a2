using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Verification;

namespace NestQuant.Passes.Deliveries;

/// <summary>A model that is to be delivered, checked.</summary>
/// <param name="Path">Where it lies.</param>
/// <param name="Precision">Bits of its highest precision.</param>
/// <param name="File">The model file itself, by name.</param>
/// <param name="Data">Its data files, by name.</param>
internal sealed record DeliveredModel(string Path, int Precision, SavedFile File, IReadOnlyList<SavedFile> Data)
{
    /// <summary>Reads a model and compares its data files with their hashes.</summary>
    /// <exception cref="ModelException">It has no nested weights, or a file is not the one that was written with it.</exception>
    public static DeliveredModel Of(string path)
    {
        ModelVerification verification = ModelVerification.Of(path);
        if (verification.Problems is [var problem, ..]) throw new ModelException($"{problem.File}: {problem.Problem}");
        NestedPrecisions precisions = NestedPrecisions.Of(ModelLoader.FromFile(path, options: null, attachData: false))
            ?? throw new ModelException($"'{path}' has no nested weights: only a model that 'compile --nest' wrote can be split");
        SavedFile[] data = [.. verification.Files.Select(static file => file with { Path = System.IO.Path.GetFileName(file.Path) })];
        var file = new SavedFile(System.IO.Path.GetFileName(path), InputFile.Length(path), FileHash.Sha256(path));
        return new DeliveredModel(path, precisions.Highest, file, data);
    }
}
