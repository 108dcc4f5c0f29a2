using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Files.Transactions;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes;

/// <summary>The files of a compiled model, written as part of a transaction.</summary>
/// <param name="Files">The files, data files first.</param>
/// <param name="Staged">Where the models lie until the transaction is committed.</param>
internal sealed record SavedModels(IReadOnlyList<SavedFile> Files, IReadOnlyList<string> Staged)
{
    /// <summary>Writes the model, its data files and, where weights are nested, the part models.</summary>
    public static SavedModels Write(CompileResult result, string path, FileTransaction transaction, CancellationToken cancellation)
    {
        var models = new List<ModelToSave> { new(result.Model, path) };
        var options = new SaveOptions { ExternalStem = ModelFile.Stem(path) };
        NestedBits[] weights = [.. result.Model.AllNodes().Where(SchemaNodes.IsNested).Select(NestedLevels.Of)];
        if (weights.Length > 0) OperandFiles.AssignShared(result.Model);
        if (result.CreatePartModel() is { } part) models.Add(new ModelToSave(part, PartPath(path), options));
        foreach (int precision in PartModel.Intermediate(weights))
            models.Add(new ModelToSave(result.CreatePartModel(precision), PartPath(path, precision), options));
        IReadOnlyList<SavedFile> files = ModelSaver.Write(models, transaction, cancellation);
        foreach (string old in Earlier(path).Except(files.Select(static file => file.Path)).Where(File.Exists))
            transaction.Remove(old, isModel: Path.GetExtension(old) == ".onnx");
        return new SavedModels(files, [.. models.Select(model => transaction.StagedPath(model.Path))]);
    }

    /// <summary>Paths of all files that a model with nested weights may have.</summary>
    /// <param name="path">Path of the model.</param>
    /// <param name="weights">Which weights are to be nested, and how.</param>
    public static IReadOnlyList<string> Expected(string path, WeightOptions weights)
    {
        NestedBits[] levels = [.. weights.Rules.Select(static rule => rule.Bits).Append(weights.Bits).OfType<NestedBits>()];
        return
        [
            path,
            PartPath(path),
            .. PartModel.Intermediate(levels).Select(precision => PartPath(path, precision)),
            .. OperandFiles.Possible(levels).Select(group => Beside(path, group + ".bin")),
        ];
    }

    /// <summary>Paths of the part models that lie beside a model, by their names.</summary>
    /// <param name="path">Path of the model.</param>
    public static IEnumerable<string> PartsBeside(string path) =>
        Enumerable.Range(NestedBits.Least, NestedBits.Most - NestedBits.Least + 1).Select(precision => PartPath(path, precision))
            .Prepend(PartPath(path)).Where(File.Exists);

    /// <summary>The files beside the model that an earlier compilation left at a path.</summary>
    private static IReadOnlyList<string> Earlier(string path)
    {
        if (!File.Exists(path)) return [];
        try
        {
            ModelProto earlier = ModelLoader.FromFile(path, options: null, attachData: false);
            if (!Provenance.IsIn(earlier)) return [];
            NestedBits[] weights = [.. earlier.AllNodes().Where(SchemaNodes.IsNested).Select(NestedLevels.Of)];
            string[] parts =
            [
                .. weights.Length > 0 ? [PartPath(path)] : (string[])[],
                .. PartModel.Intermediate(weights).Select(precision => PartPath(path, precision)),
            ];
            string start = Path.GetFileName(Beside(path, ""));
            IEnumerable<string> data = (DataFileList.Of(earlier) ?? []).Select(static file => file.Location)
                .Where(location => location.StartsWith(start, StringComparison.Ordinal) && Path.GetFileName(location) == location);
            return [.. parts, .. data.Select(location => Path.Combine(Path.GetDirectoryName(path) ?? "", location))];
        }
        catch (ModelException)
        {
            return []; // nothing is known of what a damaged model had
        }
    }

    private static string PartPath(string path) => Beside(path, "part.onnx");

    private static string PartPath(string path, int precision) => Beside(path, FormattableString.Invariant($"part.{precision}.onnx"));

    private static string Beside(string path, string ending) =>
        Path.Combine(Path.GetDirectoryName(path) ?? "", $"{ModelFile.Stem(Path.GetFileName(path))}.{ending}");
}
