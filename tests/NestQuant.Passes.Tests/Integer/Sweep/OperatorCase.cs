using System.Globalization;
using NestQuant.Onnx;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Integer.Sweep;

/// <summary>
/// Operators with some attributes between convolutions: nodes that read the results a and b of two equal convolutions, and make z.
/// </summary>
/// <param name="Text">
/// The nodes, with attributes and constants in place: <c>p = Pad[mode=edge](a, &lt;0 0 1 1 0 0 1 1&gt;); z = Add(p, @8 1 1)</c>. An
/// attribute is an integer, a list with commas, a number with a point or a string. A constant is a list of int64 or, with points, of
/// float32 in angle brackets, a scalar where it ends with f, or <c>@</c> and the shape of seeded floats.
/// </param>
internal sealed record OperatorCase(string Text)
{
    /// <summary>Operator set of the model.</summary>
    public long Opset { get; init; } = 17;

    /// <summary>Shape of the input; the convolutions make 8 channels of it and take 2 from every spatial axis.</summary>
    public long[] Shape { get; init; } = [1, 3, 7, 9];

    public override string ToString() => FormattableString.Invariant($"{Text} (operator set {Opset}, input {string.Join('x', Shape)})");

    /// <summary>The graph up to z, with the input x.</summary>
    public GraphBuilder Build()
    {
        long[] kernel = [.. Shape.Skip(2).Select(static _ => 3L)];
        GraphBuilder graph = new GraphBuilder().Input("x", Shape).Random("W", [8, 3, .. kernel]).Random("B", 8).Node("a = Conv(x, W, B)");
        bool isSecondRead = Text.Contains("b,", StringComparison.Ordinal) || Text.Contains("b)", StringComparison.Ordinal);
        if (isSecondRead) graph.Random("W2", [8, 3, .. kernel]).Random("B2", 8).Node("b = Conv(x, W2, B2)");
        foreach (string node in Text.Split("; ")) AddNode(graph, node);
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
