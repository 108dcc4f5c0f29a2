using System.Globalization;
using NestQuant.Onnx;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Models;

/// <summary>
/// Nodes as text, with attributes and constants in place: <c>p = Pad[mode=edge](a, &lt;0 0 1 1 0 0 1 1&gt;); z = Add(p, @8 1 1)</c>. An
/// attribute is an integer, a list with commas, a number with a point or a string. A constant is a list of int64 or, with points, of
/// float32 in angle brackets, a scalar where it ends with f, or <c>@</c> and the shape of seeded floats.
/// </summary>
internal static class NodeText
{
    /// <summary>Adds nodes, separated by semicolons.</summary>
    public static GraphBuilder Nodes(this GraphBuilder graph, string text)
    {
        foreach (string node in text.Split("; ")) AddNode(graph, node);
        return graph;
    }

    private static void AddNode(GraphBuilder graph, string text)
    {
        int open = text.IndexOf('[', StringComparison.Ordinal), close = text.IndexOf(']', StringComparison.Ordinal);
        AttributeProto[] attributes = open < 0 ? [] : Array.ConvertAll(text[(open + 1)..close].Split(' '), ParseAttribute);
        graph.Node(open < 0 ? text : text[..open] + text[(close + 1)..], attributes);
        NodeProto node = graph.Graph.Node[^1];
        for (int i = 0; i < node.Input.Count; i++)
            if (node.Input[i] is ['<' or '@', ..] literal) AddConstant(graph, literal, node.Input[i] = $"c{graph.Graph.Initializer.Count}");
    }

    private static AttributeProto ParseAttribute(string text)
    {
        string[] sides = text.Split('=');
        (string name, string value) = (sides[0], sides[1]);
        CultureInfo culture = CultureInfo.InvariantCulture;
        if (value.Contains(',', StringComparison.Ordinal) && value.Contains('.', StringComparison.Ordinal))
            return AttributeProto.FloatList(name, Array.ConvertAll(value.Split(',', StringSplitOptions.RemoveEmptyEntries), Number));
        if (value.Contains(',', StringComparison.Ordinal))
            return AttributeProto.IntList(name, Array.ConvertAll(value.Split(',', StringSplitOptions.RemoveEmptyEntries), Integer));
        if (long.TryParse(value, NumberStyles.AllowLeadingSign, culture, out long integer)) return AttributeProto.Int(name, integer);
        bool isNumber = float.TryParse(value, NumberStyles.Float, culture, out float number);
        return isNumber ? AttributeProto.Float(name, number) : AttributeProto.String(name, value);
    }

    private static void AddConstant(GraphBuilder graph, string literal, string name)
    {
        string[] values = literal.Trim('<', '>', '@').Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (literal[0] == '@') graph.Random(name, Array.ConvertAll(values, Integer));
        else if (values is [var only] && only.EndsWith('f')) graph.Floats(name, [], Number(only[..^1]));
        else if (values.Length == 0 || literal.Contains('.', StringComparison.Ordinal))
            graph.Floats(name, [values.Length], Array.ConvertAll(values, Number));
        else graph.Int64s(name, Array.ConvertAll(values, Integer));
    }

    private static long Integer(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private static float Number(string text) => float.Parse(text, CultureInfo.InvariantCulture);
}
