using System.Globalization;
using NestQuant.Onnx;
using NestQuant.Passes.Integer.Operators;

namespace NestQuant.Passes.Export;

/// <summary>
/// A function of one variable as the compiler writes it into a table's node, for example <c>Mul(x, HardSigmoid(x, alpha=0.1666667,
/// beta=0.5))</c>: operators of ONNX over x and numbers, float attributes last.
/// </summary>
internal sealed class FunctionText
{
    /// <summary>Longer or deeper texts are not the compiler's.</summary>
    private const int Longest = 200;

    private readonly NodeProto? _node;
    private readonly FunctionText[] _arguments;
    private readonly float? _number;

    private FunctionText(NodeProto? node, FunctionText[] arguments, float? number)
    {
        _node = node;
        _arguments = arguments;
        _number = number;
    }

    /// <summary>Reads a text; null where it has another form or names an operator that is no function of single elements.</summary>
    public static FunctionText? Parse(string text)
    {
        if (text.Length is 0 or > Longest) return null;
        int position = 0;
        FunctionText? function = Parse(text, ref position);
        return position == text.Length ? function : null;
    }

    /// <summary>The value of the function; null where an operator has a number of arguments that it does not take.</summary>
    public double? Evaluate(double x)
    {
        if (_node is null) return _number ?? x;
        var values = new double[_arguments.Length];
        for (int i = 0; i < values.Length; i++)
        {
            if (_arguments[i].Evaluate(x) is not { } value) return null;
            values[i] = value;
        }

        return values switch
        {
            [var v, var min, var max] when _node.OpType == "Clip" => Math.Min(Math.Max(v, min), max),
            [var v] => PointwiseFunctions.Unary(_node)?.Invoke(v),
            [var v, var w] => Binary(v, w),
            _ => null,
        };
    }

    /// <summary>Writes the nodes of the function.</summary>
    /// <param name="graph">Where to.</param>
    /// <param name="x">Name of the variable's value.</param>
    /// <param name="output">Wanted name of the result.</param>
    /// <returns>Name of the result.</returns>
    public string Write(ExportedGraph graph, string x, string output)
    {
        if (_node is null)
            return _number is { } number ? graph.Context.Add(output + "_constant", name => TensorProto.FromFloats(name, [], [number])) : x;
        string[] inputs = Array.ConvertAll(
            _arguments, argument => argument.Write(graph, x, graph.Context.Names.Next(output + "_" + (argument._node?.OpType ?? "x"))));
        graph.Add(_node.OpType, output, inputs, output, [.. _node.Attribute]);
        return output;
    }

    private double? Binary(double left, double right)
    {
        var node = new NodeProto { OpType = _node!.OpType };
        node.Input.AddRange(["x", "y"]);
        return PointwiseFunctions.Binary(node)?.Invoke(left, right);
    }

    private static FunctionText? Parse(string text, ref int position)
    {
        string word = Word(text, ref position);
        if (position >= text.Length || text[position] != '(')
        {
            if (word == "x") return new FunctionText(null, [], null);
            return float.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out float number)
                ? new FunctionText(null, [], number)
                : null;
        }

        var node = new NodeProto { OpType = word };
        if (!PointwiseFunctions.Is(node)) return null;
        var arguments = new List<FunctionText>();
        do
        {
            position++;
            while (position < text.Length && text[position] == ' ') position++;
            int start = position;
            string name = Word(text, ref position);
            if (position < text.Length && text[position] == '=')
            {
                position++;
                if (!float.TryParse(Word(text, ref position), NumberStyles.Float, CultureInfo.InvariantCulture, out float value))
                    return null;
                node.Attribute.Add(AttributeProto.Float(name, value));
                continue;
            }

            position = start;
            if (Parse(text, ref position) is not { } argument) return null;
            arguments.Add(argument);
        }
        while (position < text.Length && text[position] == ',');
        if (position >= text.Length || text[position] != ')') return null;
        position++;
        return new FunctionText(node, [.. arguments], null);
    }

    /// <summary>The characters up to the next punctuation.</summary>
    private static string Word(string text, ref int position)
    {
        int start = position;
        while (position < text.Length && text[position] is not ('(' or ')' or ',' or '=' or ' ')) position++;
        return text[start..position];
    }
}
