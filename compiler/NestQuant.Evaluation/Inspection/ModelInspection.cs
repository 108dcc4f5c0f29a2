using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Graph;
using NestQuant.Passes;
using NestQuant.Passes.Nesting;

namespace NestQuant.Evaluation.Inspection;

/// <summary>What is known of a model: its nested weights, what its compilation decided, and its files.</summary>
/// <param name="Path">The ONNX file.</param>
/// <param name="Metadata">Entries that the compiler left in <c>metadata_props</c>, the decision log excepted; empty for a model it did not
/// make.</param>
/// <param name="Operators">The nested operators.</param>
/// <param name="Nested">Numbers of every node whose weight is nested.</param>
/// <param name="Kept">Candidates that were left as they were, with the reason.</param>
/// <param name="Lossy">Candidates whose rewrite has a warning.</param>
/// <param name="Files">The model's file and its data files, with the hashes that the model gives for them.</param>
/// <param name="Weights">Number of initializers, and their bytes.</param>
public sealed record ModelInspection(
    string Path,
    IReadOnlyList<StringStringEntryProto> Metadata,
    IReadOnlyList<NestedOperator> Operators,
    IReadOnlyList<NestedNode> Nested,
    IReadOnlyList<Decision> Kept,
    IReadOnlyList<Decision> Lossy,
    IReadOnlyList<SavedFile> Files,
    WeightTotals Weights)
{
    private static readonly string[] ProvenanceKeys = [Provenance.VersionKey, Provenance.OptionsKey, Provenance.SourceKey];

    /// <summary>True when low operands of nested weights are absent: the model runs below full precision only.</summary>
    public bool IsPart => Operators.Any(nested => nested.Highest < nested.Layout.Bits.Full);

    /// <summary>Reads a model file.</summary>
    /// <exception cref="ModelException">The file is no model, or a nested operator is damaged.</exception>
    public static ModelInspection Of(string path, LoadOptions load)
    {
        ModelProto model = ModelFile.Load(path, load);
        IReadOnlyList<NestedOperator> operators = NestedOperator.Of(model);
        IReadOnlyList<Decision> decisions = Provenance.ReadDecisions(model)?.Decisions ?? [];
        List<TensorProto> tensors = [.. GraphView.Of(model.MainGraph()).WithInner().SelectMany(view => view.Graph.Initializer)];
        string folder = System.IO.Path.GetDirectoryName(path) ?? "";
        ILookup<string, string> hashes = (DataFileList.Of(model) ?? [])
            .ToLookup(file => System.IO.Path.Combine(folder, file.Location), file => file.Sha256);
        return new ModelInspection(
            path,
            [.. model.MetadataProps.Where(entry => ProvenanceKeys.Contains(entry.Key))],
            operators,
            [.. operators.SelectMany(nested => nested.Consumers.Select(node => NestedNode.Of(node, nested, decisions)))],
            [.. decisions.Where(decision => !decision.Rewritten)],
            [.. decisions.Where(decision => decision.Warning is not null)],
            [.. ModelFiles.Of(path, model).Select(file => file with { Sha256 = hashes[file.Path].FirstOrDefault() })],
            new WeightTotals(
                tensors.Count, tensors.Where(tensor => tensor.DataType != TensorDataType.String).Sum(tensor => tensor.ByteCount)));
    }
}

/// <summary>Number and size of a model's initializers.</summary>
/// <param name="Count">How many.</param>
/// <param name="Bytes">Bytes of their content.</param>
public sealed record WeightTotals(int Count, long Bytes);

/// <summary>A source node whose weight is nested.</summary>
/// <param name="Node">Its name.</param>
/// <param name="Op">Its operator in the source model; the nested operator's own where the decision log is missing.</param>
/// <param name="Operator">The operator that holds the weight.</param>
/// <param name="Numbers">
/// Its levels, with the bytes of the operands that are there, and ratios that are NaN where the decision log is missing.
/// </param>
public sealed record NestedNode(string Node, string Op, NestedOperator Operator, NestingNumbers Numbers)
{
    /// <summary>Joins an operator with the decision about a node.</summary>
    public static NestedNode Of(string node, NestedOperator nested, IReadOnlyList<Decision> decisions)
    {
        Decision? decision = decisions.FirstOrDefault(d => d.Node == node && d.Nesting is not null);
        long[] bytes = [nested.High.ByteCount, .. nested.Steps.Select(low => low?.ByteCount ?? 0)];
        Array.Reverse(bytes);
        LevelNumbers[] levels = [.. nested.Layout.Bits.Levels.Select((bits, i) => new LevelNumbers(bits, bytes[i], Ratio(decision, bits)))];
        var numbers = new NestingNumbers(levels, nested.Layout.View.Count, decision?.Nesting?.SourceBytes ?? 0);
        return new NestedNode(node, decision?.Op ?? nested.Node.OpType, nested, numbers);
    }

    private static double Ratio(Decision? decision, int bits) =>
        decision?.Nesting?.Levels.FirstOrDefault(level => level.Bits == bits)?.SqnrDb ?? double.NaN;
}
