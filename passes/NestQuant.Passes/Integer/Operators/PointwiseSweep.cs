using System.Globalization;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Integer.Values;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.Integer.Operators;

/// <summary>
/// Finds the float values that are elementwise functions of one uint8 tensor, computed by any number of nodes. Nodes are visited once, in
/// graph order.
/// </summary>
internal sealed class PointwiseSweep(QuantizedGraph graph, ValueRanks ranks)
{
    private readonly Dictionary<string, PointwiseValue> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PointwiseTable> _tables = new(StringComparer.Ordinal);

    /// <summary>The function that computes a float value; null where there is none.</summary>
    public PointwiseValue? Of(string value) => _values.GetValueOrDefault(value);

    /// <summary>
    /// Records that a uint8 value comes from a table, so that functions of it are functions of the table's source as well.
    /// </summary>
    public void Add(string quantized, PointwiseTable table) => _tables[quantized] = table;

    /// <summary>Visits a node, after all nodes whose results it reads.</summary>
    public void Visit(NodeProto node)
    {
        if (node.Output.Count != 1) return;
        PointwiseValue? value = graph.Source(node.Output[0]) is { } source ? PointwiseValue.Of(source) : Applied(node);
        if (value is not null) _values[node.Output[0]] = value;
    }

    private PointwiseValue? Applied(NodeProto node)
    {
        if (!node.IsDefaultDomain()) return null;
        if (node.Is("Clip")) return Of(node.InputAt(0)) is { } clipped ? Clip(node, clipped) : null;
        if (PointwiseFunctions.Unary(node) is { } unary)
            return Of(node.InputAt(0)) is { } x ? x.Then(node, unary, Text(node, [x.Function])) : null;
        return PointwiseFunctions.Binary(node) is { } binary ? Combined(node, binary) : null;
    }

    private PointwiseValue? Combined(NodeProto node, Func<double, double, double> function)
    {
        PointwiseValue? x = Of(node.Input[0]), y = Of(node.Input[1]);
        if (x is not null && y is not null) return Unify(ref x, ref y) ? x.With(y, node, function) : null;
        if (x is not null && Scalar(node.Input[1], x) is { } right)
            return x.Then(node, value => function(value, right), Text(node, [x.Function, Number(right)]));
        // PRelu does not broadcast its first input to the shape of the second.
        if (y is not null && !node.Is("PRelu") && Scalar(node.Input[0], y) is { } left)
            return y.Then(node, value => function(left, value), Text(node, [Number(left), y.Function]));
        return null;
    }

    private PointwiseValue? Clip(NodeProto node, PointwiseValue x) =>
        ClipBound.Min(node, graph.View) is { } min && ClipBound.Max(node, graph.View) is { } max
            ? x.Then(node, value => Math.Min(Math.Max(value, min), max), Text(node, [x.Function, Number(min), Number(max)]))
            : null;

    /// <summary>A constant of one element that leaves the shape of what it is combined with as it is.</summary>
    private float? Scalar(string name, PointwiseValue x) =>
        ScalarConstant.Float(graph.View, name) is { } value
            && graph.View.Constant(name)!.Dims.Count is var rank
            && (rank == 0 || rank <= ranks.Of(x.Source.Name))
            ? value
            : null;

    /// <summary>Expresses two values in terms of one source: the nearest common one, going back through tables.</summary>
    private bool Unify(ref PointwiseValue x, ref PointwiseValue y)
    {
        var seen = new Dictionary<string, PointwiseValue>(StringComparer.Ordinal) { [x.Source.Name] = x };
        for (PointwiseValue back = x; _tables.TryGetValue(back.Source.Name, out PointwiseTable? table);)
        {
            back = back.Through(table);
            seen[back.Source.Name] = back;
        }

        while (!seen.ContainsKey(y.Source.Name))
        {
            if (!_tables.TryGetValue(y.Source.Name, out PointwiseTable? table)) return false;
            y = y.Through(table);
        }

        x = seen[y.Source.Name];
        return true;
    }

    private static string Text(NodeProto node, string[] arguments)
    {
        if (Array.Exists(arguments, static argument => argument.Length == 0)
            || node.Attribute.Exists(static attribute => attribute.Type != AttributeType.Float))
            return "";
        IEnumerable<string> attributes = node.Attribute.Where(
            static attribute => attribute.Type == AttributeType.Float && !(attribute.Name is "min" or "max"))
            .Select(static attribute => $"{attribute.Name}={Number(attribute.F ?? 0)}");
        return $"{node.OpType}({string.Join(", ", arguments.Concat(attributes))})";
    }

    private static string Number(float value) => value.ToString("R", CultureInfo.InvariantCulture);
}
