using System.Globalization;
using NestQuant.Onnx.Files;

namespace NestQuant.Onnx.Text;

/// <summary>
/// Compares two models by structure: header and metadata, operator sets, inputs and outputs, initializers by name, nodes in order,
/// functions by name. How content is stored (inline, typed or external) makes no difference.
/// </summary>
public static class ModelDiff
{
    private static readonly TextOptions Options = new() { Metadata = true };

    /// <summary>Compares two models.</summary>
    /// <param name="a">The model before.</param>
    /// <param name="b">The model after.</param>
    /// <returns>The changes from a to b, empty when there are none.</returns>
    /// <exception cref="ModelException">The content of a tensor does not fit its type and shape.</exception>
    public static ModelDifference Compare(ModelProto a, ModelProto b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        var changes = new List<ModelChange>();
        Keyed(changes, "model", Header(a), Header(b));
        Keyed(changes, "opset_import", Opsets(a.OpsetImport), Opsets(b.OpsetImport));
        Keyed(changes, "metadata_props", Metadata(a), Metadata(b));
        Compare(changes, a.Graph ?? new GraphProto(), b.Graph ?? new GraphProto());
        Compare(changes, a.Functions, b.Functions);
        return new ModelDifference(changes);
    }

    private static void Compare(List<ModelChange> changes, GraphProto a, GraphProto b)
    {
        Keyed(changes, "graph", GraphHeader(a), GraphHeader(b));
        Keyed(changes, "inputs", Values(a.Input), Values(b.Input));
        Keyed(changes, "outputs", Values(a.Output), Values(b.Output));
        Keyed(changes, "initializers", Initializers(a), Initializers(b));
        Keyed(changes, "value_info", Values(a.ValueInfo), Values(b.ValueInfo));
        Nodes(changes, "nodes", a.Node, b.Node);
    }

    private static void Compare(List<ModelChange> changes, List<FunctionProto> a, List<FunctionProto> b)
    {
        Keyed(changes, "functions", a.ConvertAll(f => (Key(f), Signature(f))), b.ConvertAll(f => (Key(f), Signature(f))));
        foreach (var function in a)
        {
            if (b.Find(f => Key(f) == Key(function)) is { } other)
                Nodes(changes, $"nodes of function {Key(function)}", function.Node, other.Node);
        }

        static string Key(FunctionProto function) =>
            string.IsNullOrEmpty(function.Overload)
                ? $"{function.Domain}.{function.Name}"
                : $"{function.Domain}.{function.Name}:{function.Overload}";

        static string Signature(FunctionProto function)
        {
            var withoutBody = function.ShallowCopy();
            withoutBody.Node = [];
            return TextPrinter.Line(withoutBody, Options);
        }
    }

    /// <summary>Compares named items; items with the same name are matched.</summary>
    private static void Keyed(
        List<ModelChange> changes, string section, List<(string Key, string Line)> a, List<(string Key, string Line)> b)
    {
        var before = a.DistinctBy(x => x.Key).ToDictionary(x => x.Key, x => x.Line, StringComparer.Ordinal);
        var after = b.DistinctBy(x => x.Key).ToDictionary(x => x.Key, x => x.Line, StringComparer.Ordinal);
        foreach (var (key, line) in before)
        {
            if (!after.TryGetValue(key, out var other))
                changes.Add(new ModelChange(section, ChangeKind.Removed, line, null));
            else if (other != line)
                changes.Add(new ModelChange(section, ChangeKind.Changed, line, other));
        }

        foreach (var (key, line) in after)
        {
            if (!before.ContainsKey(key))
                changes.Add(new ModelChange(section, ChangeKind.Added, null, line));
        }

        var common = a.Where(x => after.ContainsKey(x.Key)).Select(x => x.Key);
        if (!common.SequenceEqual(b.Where(x => before.ContainsKey(x.Key)).Select(x => x.Key), StringComparer.Ordinal))
            changes.Add(new ModelChange(section, ChangeKind.Changed, Order(a), Order(b)));

        static string Order(List<(string Key, string Line)> items) => $"order: {string.Join(", ", items.Select(x => x.Key))}";
    }

    /// <summary>
    /// Compares node lists. Equal nodes are matched first, by a longest common subsequence; between two such matches, nodes with the
    /// same operator are matched in the same way and count as changed.
    /// </summary>
    private static void Nodes(List<ModelChange> changes, string section, List<NodeProto> a, List<NodeProto> b)
    {
        var linesA = a.ConvertAll(n => TextPrinter.Line(n, Options));
        var linesB = b.ConvertAll(n => TextPrinter.Line(n, Options));
        var (startA, startB) = (0, 0);
        foreach (var (endA, endB) in CommonSubsequence.Of(linesA, linesB).Append((a.Count, b.Count)))
        {
            var pairs = CommonSubsequence.Of(
                a.GetRange(startA, endA - startA).ConvertAll(Operator), b.GetRange(startB, endB - startB).ConvertAll(Operator));
            var (atA, atB) = (startA, startB);
            foreach (var (i, j) in pairs.Select(p => (p.A + startA, p.B + startB)).Append((endA, endB)))
            {
                for (; atA < i; atA++)
                    changes.Add(new ModelChange(section, ChangeKind.Removed, linesA[atA], null));
                for (; atB < j; atB++)
                    changes.Add(new ModelChange(section, ChangeKind.Added, null, linesB[atB]));
                if (i < endA)
                    changes.Add(new ModelChange(section, ChangeKind.Changed, linesA[atA++], linesB[atB++]));
            }

            (startA, startB) = (endA + 1, endB + 1);
        }

        static string Operator(NodeProto node) => $"{node.Domain}.{node.OpType}:{node.Overload}";
    }

    private static List<(string Key, string Line)> Header(ModelProto model)
    {
        var lines = new List<(string, string)>();
        Add("ir_version", model.IrVersion?.ToString(CultureInfo.InvariantCulture));
        Add("producer_name", model.ProducerName);
        Add("producer_version", model.ProducerVersion);
        Add("domain", model.Domain);
        Add("model_version", model.ModelVersion?.ToString(CultureInfo.InvariantCulture));
        Add("doc_string", model.DocString);
        Add("training_info", model.TrainingInfo.Count == 0 ? null : model.TrainingInfo.Count.ToString(CultureInfo.InvariantCulture));
        Add("configuration", model.Configuration.Count == 0 ? null : string.Join(", ", model.Configuration.Select(c => c.Name)));
        return lines;

        void Add(string key, string? value)
        {
            if (value is not null)
                lines.Add((key, $"{key}: {DisplayText.Escape(value)}"));
        }
    }

    private static List<(string Key, string Line)> Metadata(ModelProto model) =>
        Pairs(model.MetadataProps.FindAll(entry => entry.Key != DataFileList.Key)
            .ConvertAll(entry => new StringStringEntryProto(entry.Key, CompactText.Unpack(entry.Value))));

    private static List<(string Key, string Line)> GraphHeader(GraphProto graph) =>
        [("name", $"name: {DisplayText.Escape(graph.Name)}"), .. TextPrinter.Comments(graph, Options).Select(c => (c, c))];

    private static List<(string Key, string Line)> Opsets(List<OperatorSetIdProto> opsets) =>
        opsets.ConvertAll(o => (o.Domain, $"{TextSyntax.Quote(o.Domain)} : {(o.Version ?? 0).ToString(CultureInfo.InvariantCulture)}"));

    private static List<(string Key, string Line)> Pairs(List<StringStringEntryProto> pairs) =>
        pairs.ConvertAll(p => (p.Key, $"{TextSyntax.Quote(p.Key)}: {TextSyntax.Quote(p.Value)}"));

    private static List<(string Key, string Line)> Values(List<ValueInfoProto> values) =>
        values.ConvertAll(v => (v.Name, TextSyntax.ValueInfo(v)));

    private static List<(string Key, string Line)> Initializers(GraphProto graph) =>
        graph.Initializer.ConvertAll(t => (t.Name, TextPrinter.Line(t, Options)));
}
