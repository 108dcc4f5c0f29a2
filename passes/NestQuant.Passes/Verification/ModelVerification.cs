using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.Verification;

/// <summary>
/// Whether one compilation wrote a model and its data files: checks every file's length and hash, the tags of all operands, and that the
/// tags match their content.
/// </summary>
/// <param name="Files">The data files.</param>
/// <param name="Weights">How many nested weights there are.</param>
/// <param name="Problems">What is wrong, file by file.</param>
/// <param name="Notes">What could not be checked, and why.</param>
public sealed record ModelVerification(
    IReadOnlyList<SavedFile> Files, int Weights, IReadOnlyList<VerificationProblem> Problems, IReadOnlyList<string> Notes)
{
    /// <summary>Verifies a model, also a part model and one that an older version wrote.</summary>
    /// <param name="path">Path of the ONNX file; its data files lie where it says.</param>
    /// <param name="options">How to load it; null means the defaults.</param>
    /// <exception cref="ModelException">The ONNX file itself is not usable.</exception>
    public static ModelVerification Of(string path, LoadOptions? options = null)
    {
        DataFileVerification data = DataFileVerification.Of(path, options);
        string folder = Path.GetDirectoryName(path) ?? "";
        var tags = new TagVerification(path, data.Files.Where(file => !file.IsReadable).Select(file => Beside(file.Location)).ToHashSet());
        foreach (GraphView view in GraphView.Of(data.Model.MainGraph()).WithInner())
        {
            foreach (NodeProto node in view.Graph.Node.Where(SchemaNodes.IsNested))
                tags.Check(node, view);
        }

        // Operands of another compilation are reported instead of the hash, which then differs as well.
        IEnumerable<VerificationProblem> problems =
            from file in data.Files.Select(file => (Path: Beside(file.Location), file.Problem)).Prepend((path, null))
            let problem = tags.ForeignOperands(file.Path) ?? file.Problem
            where problem is not null
            select new VerificationProblem(file.Path, problem);
        IReadOnlyList<DataFileEntry> listed = DataFileList.Of(data.Model) ?? [];
        return new ModelVerification(
            [.. listed.Select(file => new SavedFile(Beside(file.Location), file.Bytes, file.Sha256))],
            tags.Weights,
            [.. problems, .. tags.Problems],
            [.. Unlisted(data), .. tags.Notes]);

        string Beside(string location) => Path.Combine(folder, location);
    }

    private static IEnumerable<string> Unlisted(DataFileVerification data)
    {
        if (!data.IsListed && data.Files.Count > 0)
            yield return $"the model does not list its data files ('{DataFileList.Key}'; older versions did not): "
                + "their content is not checked";
    }
}

/// <summary>Something that is wrong.</summary>
/// <param name="File">Path of the file that it concerns.</param>
/// <param name="Problem">The end of a sentence that starts with the file.</param>
public sealed record VerificationProblem(string File, string Problem);
