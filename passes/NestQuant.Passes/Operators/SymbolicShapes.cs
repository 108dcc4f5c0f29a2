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
        "Softsign", "Gelu", "Mish", "Erf", "Abs", "Neg", "Exp", "Sqrt", "BatchNormalization", "Softmax",
    };

    private readonly GraphView _view;
    private readonly Dictionary<string, string[]> _shapes = new(StringComparer.Ordinal);

    /// <summary>Looks at all nodes of a graph, in order.</summary>
    public SymbolicShapes(GraphView view)
    {
        _view = view;
        foreach (ValueInfoProto input in view.Graph.Input)
            if (input.Type?.TensorType?.Shape is { } shape) _shapes[input.Name] = [.. shape.Dim.Select((dim, axis) => Open(input.Name, dim, axis))];
        foreach (NodeProto node in view.Graph.Node)
            if (node.Output.Count > 0 && Result(node) is { } shape) _shapes[node.Output[0]] = shape;
    }

    /// <summary>Whether two values have the same shape in every run.</summary>
    public bool AreEqual(string left, string right) =>
        _shapes.TryGetValue(left, out string[]? one) && _shapes.TryGetValue(right, out string[]? other) && one.AsSpan().SequenceEqual(other);

    /// <summary>An input's extent. A symbol that a model gives it is not relied on, since ONNX Runtime does not hold runs to it.</summary>
    private static string Open(string input, TensorShapeProto.Dimension dimension, int axis) =>
        dimension.DimValue is { } extent ? Text(extent) : $"{input}:{Text(axis)}";

    private string[]? Result(NodeProto node)
    {
        if (node.Is(OperatorSet.NestedFloatConv))
            return node.GetInts(AttributeNames.Shape) is { } own ? Convolved(node, own[0], own[2..]) : null;
        if (node.Is("Conv"))
            return _view.Constant(node.InputAt(1)) is { Dims.Count: > 2 } weight ? Convolved(node, weight.Dims[0], [.. weight.Dims.Skip(2)]) : null;
        if (node.Is("MaxPool") || node.Is("AveragePool"))
            return node.GetInts("kernel_shape") is { } kernel && node.GetInt("ceil_mode", 0) == 0 ? Convolved(node, channels: null, kernel) : null;
        if (node.Is("Add") || node.Is("Sub") || node.Is("Mul") || node.Is("Div"))
            return AreEqual(node.InputAt(0), node.InputAt(1)) ? _shapes[node.InputAt(0)] : null;
        return Elementwise.Contains(node.OpType) ? _shapes.GetValueOrDefault(node.InputAt(0)) : null;
    }

    /// <summary>The shape of a convolution or a pool; <paramref name="channels"/> are those of the input where they are null.</summary>
    private string[]? Convolved(NodeProto node, long? channels, long[] kernel)
    {
        if (!_shapes.TryGetValue(node.InputAt(0), out string[]? input) || input.Length != kernel.Length + 2) return null;
        if (node.GetString("auto_pad", "NOTSET") != "NOTSET") return null;
        string[] shape = [input[0], channels is { } count ? Text(count) : input[1], .. input[2..]];
        long[]? pads = node.GetInts(AttributeNames.Pads), strides = node.GetInts("strides"), dilations = node.GetInts("dilations");
        for (int axis = 0; axis < kernel.Length; axis++)
        {
            long added = pads is null ? 0 : pads[axis] + pads[axis + kernel.Length];
            long grown = added - (dilations?[axis] ?? 1) * (kernel[axis] - 1) - 1;
            shape[axis + 2] = Strided(input[axis + 2], grown, strides?[axis] ?? 1);
        }

        return shape;
    }

    /// <summary>(extent + grown) / stride + 1, rounded down.</summary>
    private static string Strided(string extent, long grown, long stride) =>
        long.TryParse(extent, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? Text((number + grown) / stride + 1)
            : stride == 1 && grown == -1 ? extent
            : $"({extent} + {Text(grown)}) / {Text(stride)} + 1";

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
