using System.Globalization;
using NestQuant.Onnx;
using NestQuant.Passes.Integer.Values;

namespace NestQuant.Passes.Integer.Operators;

/// <summary>A float value whose every element depends only on the uint8 element at the same position.</summary>
/// <param name="Source">The uint8 value.</param>
/// <param name="Values">The float value for each of the 256 integers of the source.</param>
/// <param name="Function">The function as a format, <c>Mul({0}, Sigmoid({0}))</c>, of the dequantized source; empty when it is too long to
/// be readable.</param>
/// <param name="Nodes">The float nodes that compute it, each once.</param>
internal sealed record PointwiseValue(QuantizedValue Source, double[] Values, string Function, IReadOnlyList<NodeProto> Nodes)
{
    /// <summary>Number of values of a uint8.</summary>
    public const int TableLength = byte.MaxValue + 1;

    /// <summary>The dequantized source itself.</summary>
    public const string Argument = "{0}";

    /// <summary>Longest function text that is still readable.</summary>
    private const int LongestFunction = 200;

    /// <summary>The source itself, dequantized.</summary>
    public static PointwiseValue Of(QuantizedValue source)
    {
        var values = new double[TableLength];
        for (int q = 0; q < values.Length; q++) values[q] = source.Parameters.Dequantize(q);
        return new PointwiseValue(source, values, Argument, []);
    }

    /// <summary>The value after one more node.</summary>
    public PointwiseValue Then(NodeProto node, Func<double, double> function, string text) =>
        new(Source, Array.ConvertAll(Values, value => function(value)), Shortened(text), [.. Nodes, node]);

    /// <summary>The result of a node that combines two values of the same source.</summary>
    public PointwiseValue With(PointwiseValue other, NodeProto node, Func<double, double, double> function)
    {
        var values = new double[TableLength];
        for (int q = 0; q < values.Length; q++) values[q] = function(Values[q], other.Values[q]);
        string text = Function.Length > 0 && other.Function.Length > 0 ? $"{node.OpType}({Function}, {other.Function})" : "";
        return new PointwiseValue(Source, values, Shortened(text), [.. Nodes.Union(other.Nodes), node]);
    }

    /// <summary>The same value in terms of the source of the table that produces its source.</summary>
    public PointwiseValue Through(PointwiseTable table)
    {
        string text = Function.Length > 0 && table.Value.Function.Length > 0
            ? string.Format(CultureInfo.InvariantCulture, Function, table.Value.Function)
            : "";
        return new PointwiseValue(table.Value.Source, Array.ConvertAll(table.Integers, q => Values[q]), Shortened(text), Nodes);
    }

    /// <summary>The integers that the values quantize to; null where one of the values is not a number.</summary>
    public byte[]? Quantize(QuantizationParameters result) =>
        Array.Exists(Values, double.IsNaN) ? null : Array.ConvertAll(Values, result.Quantize);

    private static string Shortened(string text) => text.Length <= LongestFunction ? text : "";
}

/// <summary>A function of one uint8 tensor as a table.</summary>
/// <param name="Value">The function before it was quantized.</param>
/// <param name="Integers">The result for each of the 256 integers of the source.</param>
internal sealed record PointwiseTable(PointwiseValue Value, byte[] Integers);
