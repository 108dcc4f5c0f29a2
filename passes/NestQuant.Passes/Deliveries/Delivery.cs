using NestQuant.Onnx;

namespace NestQuant.Passes.Deliveries;

/// <summary>What a device fetches in one go to run a compiled model at one more precision.</summary>
/// <param name="Precision">Bits of the highest precision that it brings.</param>
/// <param name="Files">Its files in the order in which they must appear: data files first, the model last. Names without folders.</param>
/// <param name="Needs">Data files of earlier deliveries that its model refers to.</param>
public sealed record Delivery(int Precision, IReadOnlyList<SavedFile> Files, IReadOnlyList<SavedFile> Needs)
{
    /// <summary>Name of the file that describes a delivery.</summary>
    public const string ManifestName = "delivery.json";

    /// <summary>The deliveries of a compiled model, lowest precision first: one for each of its part models, and one for itself.</summary>
    /// <param name="path">Path of the whole model; its part models lie beside it.</param>
    /// <exception cref="ModelException">It is no compiled model, has no part model, or a file is not the one that was written with
    /// it.</exception>
    public static IReadOnlyList<Delivery> Of(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        DeliveredModel whole = DeliveredModel.Of(path);
        DeliveredModel[] parts = [.. SavedModels.PartsBeside(path).Select(DeliveredModel.Of).OrderBy(static model => model.Precision)];
        if (parts.Length == 0)
            throw new ModelException(
                $"'{path}' has no part model beside it (X.part.onnx): split the X.onnx that 'compile --nest' wrote, where it wrote it");
        if (Array.Find(parts, part => part.Precision >= whole.Precision) is { } same)
            throw new ModelException($"'{path}' is no more precise than '{same.Path}': split the whole model");
        var deliveries = new List<Delivery>();
        var delivered = new Dictionary<string, SavedFile>(StringComparer.Ordinal);
        foreach (DeliveredModel model in parts.Append(whole))
        {
            if (model.Data.FirstOrDefault(file => delivered.GetValueOrDefault(file.Path, file).Sha256 != file.Sha256) is { } other)
                throw new ModelException($"'{model.Path}' and a part model differ in '{other.Path}': they are of different compilations");
            SavedFile[] added = [.. model.Data.Where(file => !delivered.ContainsKey(file.Path))];
            deliveries.Add(new Delivery(model.Precision, [.. added, model.File], [.. model.Data.Except(added)]));
            foreach (SavedFile file in added) delivered.Add(file.Path, file);
        }

        return deliveries;
    }
}
