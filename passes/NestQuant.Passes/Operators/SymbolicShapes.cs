using System.Globalization;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Operators;

/// <summary>
/// Shapes of values as far as they follow from the graph's inputs: an extent is a number, or the terms of what it is computed from. Equal
/// shapes are equal in every run, whatever the open extents are; what cannot be told has no shape.
/// </summary>
internal sealed class SymbolicShapes
{
    private static readonly HashSet<string> Elementwise = new(StringComparer.Ordinal)
    {
        "Identity", "Relu", "Clip", "LeakyRelu", "Elu", "Selu", "Celu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Softplus",
        "Softsign", "Gelu", "Mish", "Erf", "Abs", "Neg", "Exp", "Sqrt", "BatchNormalization", "Softmax", "QuantizeLinear",
        "DequantizeLinear", "LayerNormalization",
    };

    private readonly GraphView _view;
    private readonly Dictionary<string, string[]> _shapes = new(StringComparer.Ordinal);

    /// <summary>Looks at all nodes of a graph, in order.</summary>
    public SymbolicShapes(GraphView view)
    {
        _view = view;
        foreach (ValueInfoProto input in view.Graph.Input)
            if (input.Type?.TensorType?.Shape is { } shape)
                _shapes[input.Name] = [.. shape.Dim.Select((extent, axis) => Open(input.Name, extent, axis))];
        foreach (NodeProto node in view.Graph.Node)
        {
            if (node.Output.Count == 0 || Result(node) is not { } shape) continue;
            foreach (string output in node.Output.Take(node.Is("Split") ? node.Output.Count : 1)) _shapes[output] = shape;
        }
    }

    /// <summary>Whether two values have the same shape in every run.</summary>
    public bool AreEqual(string left, string right) =>
        _shapes.TryGetValue(left, out string[]? one)
            && _shapes.TryGetValue(right, out string[]? other)
            && one.AsSpan().SequenceEqual(other);

    /// <summary>The extents of a value, null where one depends on a run; null where not even their number is known.</summary>
    public long?[]? Extents(string value) =>
        _shapes.TryGetValue(value, out string[]? shape) ? Array.ConvertAll(shape, Number) : null;

    /// <summary>An input's extent. A symbol that a model gives it is not relied on, since ONNX Runtime does not hold runs to it.</summary>
    private static string Open(string input, TensorShapeProto.Dimension dimension, int axis) =>
        dimension.DimValue is { } extent ? Text(extent) : $"{input}:{Text(axis)}";

    private string[]? Result(NodeProto node)
    {
        if (node.Is(OperatorSet.NestedFloatConv))
            return node.GetInts(AttributeNames.Shape) is { Length: > 2 } own ? Convolved(node, own[0], own[2..]) : null;
        if (node.Is("Conv"))
            return _view.Constant(node.InputAt(1)) is { Dims.Count: > 2 } weight
                ? Convolved(node, weight.Dims[0], [.. weight.Dims.Skip(2)])
                : null;
        if (node.Is("MaxPool") || node.Is("AveragePool"))
            return node.GetInts("kernel_shape") is { } kernel && node.GetInt("ceil_mode", 0) == 0
                ? Convolved(node, channels: null, kernel)
                : null;
        if (node.Is("Add") || node.Is("Sub") || node.Is("Mul") || node.Is("Div") || node.Is("PRelu"))
            return Broadcast(Shape(node.InputAt(0)), Shape(node.InputAt(1)));
        if (node.Is("Concat")) return Joined(node);
        if (node.Is("ConstantOfShape")) return Integers(node.InputAt(0)) is { } constant ? [.. constant.Select(Text)] : null;
        string[]? x = _shapes.GetValueOrDefault(node.InputAt(0));
        return node.OpType switch
        {
            _ when x is null => null,
            "MatMul" when _view.Constant(node.InputAt(1)) is { Dims: [_, var columns] } => [.. x[..^1], Text(columns)],
            "Transpose" when node.GetInts("perm") is { } order && Array.TrueForAll(order, axis => axis >= 0 && axis < x.Length) =>
                Array.ConvertAll(order, axis => x[axis]),
            "GlobalAveragePool" => [.. x.Select(static (extent, axis) => axis < 2 ? extent : "1")],
            "Reshape" => Reshaped(node, x),
            "Pad" => Padded(node, x),
            "Split" => Halved(node, x),
            _ => Elementwise.Contains(node.OpType) ? x : null,
        };
    }

    private string[]? Shape(string value) =>
        _shapes.GetValueOrDefault(value) ?? (_view.Constant(value) is { } tensor ? [.. tensor.Dims.Select(Text)] : null);

    private static string[]? Broadcast(string[]? a, string[]? b)
    {
        if (a is null || b is null) return null;
        var result = new string[Math.Max(a.Length, b.Length)];
        for (int axis = 1; axis <= result.Length; axis++)
        {
            string x = axis > a.Length ? "1" : a[^axis], y = axis > b.Length ? "1" : b[^axis];
            if (x != y && x != "1" && y != "1") return null;
            result[^axis] = x == "1" ? y : x;
        }

        return result;
    }

    private string[]? Joined(NodeProto node)
    {
        if (Shape(node.InputAt(0)) is not { } first || Axis(node, first) is not { } axis) return null;
        long? extent = 0;
        foreach (string input in node.Input)
            extent += Shape(input) is { } shape && shape.Length == first.Length ? Number(shape[axis]) : null;
        return Changed(first, axis, extent is { } sum ? Text(sum) : Unknown(node, axis));
    }

    /// <summary>A Split into equal parts; others have no shape.</summary>
    private string[]? Halved(NodeProto node, string[] x)
    {
        long[]? parts = node.GetInts("split") ?? Integers(node.InputAt(1));
        bool isEqual = parts is null ? node.InputAt(1).Length == 0 : parts.Distinct().Count() == 1;
        return isEqual && Axis(node, x) is { } axis && Number(x[axis]) is { } extent && extent % node.Output.Count == 0
            ? Changed(x, axis, Text(extent / node.Output.Count))
            : null;
    }

    private string[]? Reshaped(NodeProto node, string[] x)
    {
        if (Integers(node.InputAt(1)) is not { } wanted || node.GetInt("allowzero", 0) != 0) return null;
        string[] shape =
        [
            .. wanted.Select((extent, axis) =>
                extent > 0 ? Text(extent) : extent == 0 && axis < x.Length ? x[axis] : Unknown(node, axis))
        ];
        int open = Array.IndexOf(wanted, -1L);
        if (open < 0) return shape;
        long? elements = Product(x), others = Product(Changed(shape, open, "1"));
        return elements is { } all && others is > 0 and var known ? Changed(shape, open, Text(all / known)) : shape;
    }

    private string[]? Padded(NodeProto node, string[] x)
    {
        long[]? pads = node.GetInts("pads") ?? Integers(node.InputAt(1));
        if (pads?.Length != 2 * x.Length || node.InputAt(3).Length > 0) return null;
        return [.. x.Select((extent, axis) => Strided(extent, pads[axis] + pads[axis + x.Length] - 1, 1))];
    }

    private long[]? Integers(string value) =>
        _view.Constant(value) is { DataType: TensorDataType.Int64 } tensor ? tensor.ToInt64s() : null;

    private static long? Product(string[] shape) => shape.Aggregate((long?)1, static (product, extent) => product * Number(extent));

    private static int? Axis(NodeProto node, string[] shape)
    {
        long axis = node.GetInt("axis", 0);
        if (axis < 0) axis += shape.Length;
        return axis >= 0 && axis < shape.Length ? (int)axis : null;
    }

    private static string[] Changed(string[] shape, int axis, string extent) => [.. shape[..axis], extent, .. shape[(axis + 1)..]];

    /// <summary>An extent that nothing else is known to equal.</summary>
    private static string Unknown(NodeProto node, int axis) => $"{node.Output[0]}:{Text(axis)}";

    /// <summary>The shape of a convolution or a pool; <paramref name="channels"/> are those of the input where they are null.</summary>
    private string[]? Convolved(NodeProto node, long? channels, long[] kernel)
    {
        if (!_shapes.TryGetValue(node.InputAt(0), out string[]? input) || input.Length != kernel.Length + 2) return null;
        string padding = node.GetString("auto_pad", "NOTSET");
        if (padding is not ("NOTSET" or "SAME_UPPER" or "SAME_LOWER")) return null;
        string[] shape = [input[0], channels is { } count ? Text(count) : input[1], .. input[2..]];
        long[]? pads = node.GetInts(AttributeNames.Pads), strides = node.GetInts("strides"), dilations = node.GetInts("dilations");
        // A model that is not valid has no shapes; ONNX Runtime says why when it is loaded.
        bool isValid = Fits(pads, 2 * kernel.Length) && Fits(strides, kernel.Length) && Fits(dilations, kernel.Length);
        if (!isValid || Array.Exists(strides ?? [], static stride => stride < 1)) return null;
        for (int axis = 0; axis < kernel.Length; axis++)
        {
            long added = pads is null ? 0 : pads[axis] + pads[axis + kernel.Length];
            long grown = added - (dilations?[axis] ?? 1) * (kernel[axis] - 1) - 1;
            // Padded to the same extent, divided by the stride and rounded up.
            shape[axis + 2] = Strided(input[axis + 2], padding == "NOTSET" ? grown : -1, strides?[axis] ?? 1);
        }

        return shape;
    }

    private static bool Fits(long[]? values, int count) => values is null || values.Length == count;

    /// <summary>(extent + grown) / stride + 1, rounded down.</summary>
    private static string Strided(string extent, long grown, long stride) =>
        Number(extent) is { } number ? Text((number + grown) / stride + 1)
            : stride == 1 && grown == -1 ? extent
            : $"({extent} + {Text(grown)}) / {Text(stride)} + 1";

    private static long? Number(string extent) =>
        long.TryParse(extent, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : null;

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
