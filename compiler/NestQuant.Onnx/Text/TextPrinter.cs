using System.Globalization;
using System.Text;

namespace NestQuant.Onnx.Text;

/// <summary>Writes models, graphs, functions and nodes in ONNX's textual syntax.</summary>
internal sealed class TextPrinter(TextOptions options)
{
    /// <summary>Longest metadata value that is printed although weights are elided.</summary>
    private const int LongestMetadata = 200;

    private readonly StringBuilder _text = new();
    private readonly List<string> _comments = [];
    private int _indent;

    public override string ToString() => _text.ToString();

    public void Print(ModelProto model)
    {
        var header = new List<string>();
        if (model.IrVersion is { } irVersion)
            header.Add($"ir_version: {Number(irVersion)}");
        header.Add($"opset_import: {OpsetsText(model.OpsetImport)}");
        if (options.Metadata)
        {
            AddString(header, "producer_name", model.ProducerName);
            AddString(header, "producer_version", model.ProducerVersion);
        }

        AddString(header, "domain", model.Domain);
        if (model.ModelVersion is { } modelVersion)
            header.Add($"model_version: {Number(modelVersion)}");
        AddString(header, "doc_string", model.DocString);
        if (options.Metadata && model.MetadataProps.Count > 0)
            header.Add(MetadataText(model.MetadataProps));
        PrintBlock(header);
        EndLine();

        if (model.TrainingInfo.Count > 0)
            CommentLine($"training_info: {Number(model.TrainingInfo.Count)}");
        foreach (var configuration in model.Configuration)
            CommentLine($"configuration: {TextSyntax.Quote(configuration.Name ?? "")}, {Number(configuration.NumDevices ?? 0)} devices");
        if (model.Graph is { } graph)
        {
            Print(graph);
            EndLine();
        }

        foreach (var function in model.Functions)
            Print(function);
    }

    /// <summary>One node alone, several lines when it holds subgraphs.</summary>
    public static string Line(NodeProto node, TextOptions options)
    {
        var printer = new TextPrinter(options);
        printer.Print(node);
        return printer.Finish();
    }

    /// <summary>One initializer alone.</summary>
    public static string Line(TensorProto initializer, TextOptions options)
    {
        var printer = new TextPrinter(options);
        printer._text.Append(printer.Initializer(initializer));
        return printer.Finish();
    }

    /// <summary>One function.</summary>
    public static string Line(FunctionProto function, TextOptions options)
    {
        var printer = new TextPrinter(options);
        printer.Print(function);
        return printer.ToString().Trim('\n');
    }

    /// <summary>The parts of a graph that the syntax cannot express, one per line.</summary>
    public static IReadOnlyList<string> Comments(GraphProto graph, TextOptions options)
    {
        var printer = new TextPrinter(options);
        return printer.GraphComments(graph).ToList();
    }

    private void Print(GraphProto graph)
    {
        _text.Append(TextSyntax.Identifier(graph.Name)).Append(' ').Append(ValueInfosText(graph.Input))
            .Append(" => ").Append(ValueInfosText(graph.Output));
        EndLine();
        foreach (var line in GraphComments(graph))
            CommentLine(line);

        var last = graph.Initializer.Count + graph.ValueInfo.Count - 1;
        if (last >= 0)
        {
            OpenBlock('<');
            for (var i = 0; i <= last; i++)
            {
                Indent();
                if (i < graph.Initializer.Count)
                    _text.Append(Initializer(graph.Initializer[i]));
                else
                    _text.Append(TextSyntax.ValueInfo(graph.ValueInfo[i - graph.Initializer.Count]));
                if (i < last)
                    _text.Append(',');
                EndLine();
            }

            CloseBlock('>');
            EndLine();
        }

        Print(graph.Node);
    }

    private void Print(List<NodeProto> nodes)
    {
        OpenBlock('{');
        foreach (var node in nodes)
        {
            Indent();
            Print(node);
            EndLine();
        }

        CloseBlock('}');
    }

    private void Print(FunctionProto function)
    {
        EndLine();
        var header = new List<string> { $"domain: {TextSyntax.Quote(function.Domain)}" };
        AddString(header, "overload", function.Overload);
        header.Add($"opset_import: {OpsetsText(function.OpsetImport)}");
        AddString(header, "doc_string", function.DocString);
        PrintBlock(header);
        EndLine();
        if (options.Metadata && function.MetadataProps.Count > 0)
            CommentLine($"metadata_props: {PairsText(function.MetadataProps)}");

        _text.Append(TextSyntax.Identifier(function.Name)).Append(' ');
        if (function.Attribute.Count + function.AttributeProto.Count > 0)
        {
            _text.Append('<').AppendJoin(", ", function.Attribute.Select(TextSyntax.Identifier));
            var separator = function.Attribute.Count > 0 ? ", " : "";
            foreach (var attribute in function.AttributeProto)
            {
                _text.Append(separator);
                Print(attribute);
                separator = ", ";
            }

            _text.Append("> ");
        }

        _text.Append('(').AppendJoin(", ", function.Input.Select(TextSyntax.Identifier)).Append(") => (")
            .AppendJoin(", ", function.Output.Select(TextSyntax.Identifier)).Append(')');
        EndLine();
        if (function.ValueInfo.Count > 0)
        {
            PrintBlock(function.ValueInfo.ConvertAll(TextSyntax.ValueInfo), open: '<', close: '>');
            EndLine();
        }

        Print(function.Node);
        EndLine();
    }

    private void Print(NodeProto node)
    {
        if (options.NodeNames && node.Name.Length > 0)
            _text.Append('[').Append(TextSyntax.Identifier(node.Name)).Append("] ");
        _text.Append(TextSyntax.Names(node.Output)).Append(node.Output.Count > 0 ? " = " : "= ");
        if (node.Domain.Length > 0)
            _text.Append(DisplayText.Escape(node.Domain)).Append('.');
        _text.Append(DisplayText.Escape(node.OpType));
        if (!string.IsNullOrEmpty(node.Overload))
            _text.Append(':').Append(DisplayText.Escape(node.Overload));

        // Subgraphs come last, so that the inputs are still on the node's own line.
        var hasGraphs = node.Attribute.Exists(a => a.G is not null || a.Graphs.Count > 0);
        if (!hasGraphs)
            PrintAttributes(node);
        _text.Append(" (").Append(TextSyntax.Names(node.Input)).Append(')');
        if (hasGraphs)
            PrintAttributes(node);
        if (options.Metadata && node.MetadataProps.Count > 0)
            _comments.Add($"metadata_props: {PairsText(node.MetadataProps)}");
    }

    private void PrintAttributes(NodeProto node)
    {
        var separator = " <";
        foreach (var attribute in node.Attribute)
        {
            _text.Append(separator);
            Print(attribute);
            separator = ", ";
        }

        if (node.Attribute.Count > 0)
            _text.Append('>');
    }

    private void Print(AttributeProto attribute)
    {
        _text.Append(TextSyntax.Identifier(attribute.Name)).Append(": ").Append(TextSyntax.TypeName(attribute.Type)).Append(" = ");
        if (!string.IsNullOrEmpty(attribute.RefAttrName))
        {
            _text.Append('@').Append(TextSyntax.Identifier(attribute.RefAttrName));
            return;
        }

        switch (attribute.Type)
        {
            case AttributeType.Graph when attribute.G is { } graph:
                PrintNested(graph);
                break;
            case AttributeType.Graphs:
                _text.Append('[');
                for (var i = 0; i < attribute.Graphs.Count; i++)
                {
                    _text.Append(i > 0 ? ", " : "");
                    PrintNested(attribute.Graphs[i]);
                }

                _text.Append(']');
                break;
            case AttributeType.Tensor when attribute.T is { } tensor:
                _text.Append(Tensor(tensor));
                break;
            case AttributeType.Tensors:
                _text.Append('[').AppendJoin(", ", attribute.Tensors.Select(Tensor)).Append(']');
                break;
            case AttributeType.SparseTensor when attribute.SparseTensor is { } sparse:
                _text.Append(Sparse(sparse));
                break;
            case AttributeType.SparseTensors:
                _text.Append('[').AppendJoin(", ", attribute.SparseTensors.Select(Sparse)).Append(']');
                break;
            default:
                _text.Append(TextSyntax.Value(attribute));
                break;
        }
    }

    private void PrintNested(GraphProto graph)
    {
        _indent++;
        Print(graph);
        _indent--;
    }

    private string Initializer(TensorProto tensor) =>
        $"{TextSyntax.TensorType(tensor)} {TextSyntax.Identifier(tensor.Name)} = {Values(tensor)}";

    private string Tensor(TensorProto tensor)
    {
        var name = tensor.Name.Length > 0 ? $" {TextSyntax.Identifier(tensor.Name)}" : "";
        return $"{TextSyntax.TensorType(tensor)}{name} {Values(tensor)}";
    }

    private string Sparse(SparseTensorProto sparse)
    {
        var values = sparse.Values is { } v ? Tensor(v) : "";
        var indices = sparse.Indices is { } i ? Tensor(i) : "";
        return $"sparse_tensor [{string.Join(",", sparse.Dims.Select(Number))}] ({values}, {indices})";
    }

    private string Values(TensorProto tensor)
    {
        var label = tensor.ExternalGroup is { } group ? $"in {DisplayText.Escape(group)}" : null;
        if (tensor is { IsExternal: true, ExternalContent: null })
        {
            _comments.Add("external, not opened");
            return "{}";
        }

        if (!options.ElideWeights || tensor.ElementCount <= options.MaxElements)
        {
            if (label is not null)
                _comments.Add(label);
            return TensorText.Values(tensor);
        }

        _comments.Add($"sha256:{ContentHash.Of(tensor)[..16]}{(label is null ? "" : ", " + label)}");
        return "{}";
    }

    private IEnumerable<string> GraphComments(GraphProto graph)
    {
        if (options.Metadata && graph.MetadataProps.Count > 0)
            yield return $"metadata_props: {PairsText(graph.MetadataProps)}";
        foreach (var sparse in graph.SparseInitializer)
            yield return $"sparse_initializer: {Sparse(sparse)}";
        foreach (var annotation in graph.QuantizationAnnotation)
            yield return $"quantization_annotation: {TextSyntax.Quote(annotation.TensorName ?? "")} "
                + $"{PairsText(annotation.QuantParameterTensorNames)}";
    }

    private string Finish()
    {
        EndLine();
        _text.Length--;
        return _text.ToString();
    }

    private static void AddString(List<string> header, string key, string? value)
    {
        if (value is not null)
            header.Add($"{key}: {TextSyntax.Quote(value)}");
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string OpsetsText(List<OperatorSetIdProto> opsets) =>
        $"[{string.Join(", ", opsets.Select(o => $"{TextSyntax.Quote(o.Domain)} : {Number(o.Version ?? 0)}"))}]";

    private static string PairsText(List<StringStringEntryProto> pairs) =>
        $"[{string.Join(", ", pairs.Select(p => $"{TextSyntax.Quote(p.Key)}: {TextSyntax.Quote(p.Value)}"))}]";

    /// <summary>
    /// The model's metadata, an entry per line; very long values, such as embedded reports, are elided like weights.
    /// </summary>
    private string MetadataText(List<StringStringEntryProto> pairs)
    {
        var text = new StringBuilder("metadata_props: [");
        for (var i = 0; i < pairs.Count; i++)
        {
            var value = options.ElideWeights ? CompactText.Unpack(pairs[i].Value) : pairs[i].Value;
            var elided = options.ElideWeights && value.Length > LongestMetadata;
            text.Append("\n    ").Append(TextSyntax.Quote(pairs[i].Key)).Append(": ").Append(TextSyntax.Quote(elided ? "" : value));
            text.Append(i < pairs.Count - 1 ? "," : "");
            if (elided) text.Append(CultureInfo.InvariantCulture, $" # {value.Length} characters, sha256:{ContentHash.Of(value)[..16]}");
        }

        return text.Append("\n  ]").ToString();
    }

    private static string ValueInfosText(List<ValueInfoProto> values) =>
        $"({string.Join(", ", values.Select(TextSyntax.ValueInfo))})";

    private void PrintBlock(List<string> items, char open = '<', char close = '>')
    {
        OpenBlock(open);
        for (var i = 0; i < items.Count; i++)
        {
            Indent();
            _text.Append(items[i]).Append(i < items.Count - 1 ? "," : "");
            EndLine();
        }

        CloseBlock(close);
    }

    private void OpenBlock(char bracket)
    {
        Indent();
        _text.Append(bracket);
        EndLine();
        _indent++;
    }

    private void CloseBlock(char bracket)
    {
        _indent--;
        Indent();
        _text.Append(bracket);
    }

    private void CommentLine(string comment)
    {
        Indent();
        _text.Append("# ").Append(comment.ReplaceLineEndings(" "));
        EndLine();
    }

    private void Indent() => _text.Append(' ', 2 * _indent);

    private void EndLine()
    {
        // A comment extends to the end of its line, so it is written when the line is complete.
        for (var i = 0; i < _comments.Count; i++)
            _text.Append(i == 0 ? " # " : "; ").Append(_comments[i].ReplaceLineEndings(" "));
        _comments.Clear();
        _text.Append('\n');
    }
}
