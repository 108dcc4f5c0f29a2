using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Export;

/// <summary>
/// Nested weights at one precision, as int8 initializers with a scale per channel; those that several operators read, as uint8.
/// </summary>
/// <remarks>
/// Where ONNX Runtime is asked for exact products it turns int8 weights into uint8 ones, under a name made of that of the initializer: two
/// operators that read one initializer would give two of one name, which it refuses. What is uint8 already it leaves alone. And
/// initializers lie in the graph whose nodes read them, since there it looks for what it rewrites: with those of an outer graph it fails,
/// or computes something else.
/// <para>
/// A product of dequantized operands becomes one of integers, which refuses scales and zero points in vectors for a batch of matrices. So
/// such weights are dequantized as one matrix, and take their shape after it: ONNX Runtime then multiplies floats.
/// </para>
/// </remarks>
internal sealed class ExportedWeights(ExportContext context)
{
    /// <summary>What uint8 adds to an int8 value and to its zero point.</summary>
    private const int UnsignedOffset = 128;

    private readonly HashSet<string> _shared = Shared(context.Model);
    private readonly Dictionary<(string High, bool Turned, string Scale, GraphProto Home), Stored> _stored = [];

    /// <summary>A weight in the exported model.</summary>
    /// <param name="Name">An initializer of integers, or a float one where <paramref name="Scale"/> is empty.</param>
    /// <param name="Scale">Float initializer [M].</param>
    /// <param name="ZeroPoint">Initializer [M] of the weight's type.</param>
    /// <param name="Axis">The axis of the channels.</param>
    /// <param name="Shape">The shape.</param>
    /// <param name="Note">Why the weight is float; null where it is not.</param>
    public sealed record Stored(string Name, string Scale, string ZeroPoint, int Axis, long[] Shape, string? Note)
    {
        /// <summary>Whether a zero point is not 0.</summary>
        public bool HasZeroPoint { get; init; }

        /// <summary>Whether the initializer is a matrix, whose channels lie on <see cref="Axis"/>, whatever the shape.</summary>
        public bool IsFlat { get; init; }
    }

    /// <summary>The integers of a nested operator's weight.</summary>
    /// <param name="nested">The operator.</param>
    /// <param name="graph">The graph that reads it.</param>
    /// <param name="turn">Whether a matrix [N, K] is wanted as [K, N].</param>
    public Stored Integers(NestedOperator nested, ExportedGraph graph, bool turn)
    {
        GraphProto home = graph.View.Graph;
        var key = (nested.High.Name, turn, nested.Scale.Name, home);
        if (!_stored.TryGetValue(key, out Stored? stored))
            _stored[key] = stored = Store(nested, turn, home, IsBatchedFactor(nested, graph));
        return stored;
    }

    /// <summary>The float form of a nested operator's weight.</summary>
    /// <param name="nested">The operator.</param>
    /// <param name="graph">The graph that reads it.</param>
    /// <param name="turn">Whether a matrix [N, K] is wanted as [K, N].</param>
    /// <param name="note">Why the weight is stored in float; null where it is not.</param>
    /// <returns>Name of the exported float value.</returns>
    public string Dequantize(NestedOperator nested, ExportedGraph graph, bool turn, out string? note)
    {
        Stored stored = Integers(nested, graph, turn);
        note = stored.Note;
        if (stored.Scale.Length == 0) return stored.Name;
        string output = context.Names.Next(stored.Name + "_dequantized");
        graph.Add(
            "DequantizeLinear",
            stored.Name + "_dequantize",
            [stored.Name, stored.Scale, stored.ZeroPoint],
            output,
            AttributeProto.Int("axis", stored.Axis));
        if (!stored.IsFlat) return output;
        string shape = context.Add(stored.Name + "_shape", name => TensorProto.FromInt64s(name, [stored.Shape.Length], stored.Shape));
        string shaped = context.Names.Next(output + "_batched");
        graph.Add("Reshape", stored.Name + "_batch", [output, shape], shaped);
        return shaped;
    }

    private Stored Store(NestedOperator nested, bool turn, GraphProto home, bool isBatchedFactor)
    {
        string wanted = nested.High.Name.EndsWith("_high", StringComparison.Ordinal)
            ? nested.High.Name[..^"_high".Length]
            : nested.High.Name;
        int level = nested.Layout.Bits.LevelAt(context.Precision);
        sbyte[] integers = nested.Integers(level);
        long[] shape = [.. nested.Shape];
        int axis = ChannelAxis(nested);
        if (turn)
        {
            integers = Turned(integers, (int)shape[0], (int)shape[1]);
            Array.Reverse(shape);
            axis = 1 - axis;
        }

        bool isFlat = isBatchedFactor && (axis == 0 || axis == shape.Length - 1);
        long[] storedShape = !isFlat ? shape
            : axis == 0 ? [shape[0], integers.Length / shape[0]]
            : [integers.Length / shape[^1], shape[^1]];
        float[] scales = nested.Scales(level);
        int[] zeroPoints = nested.ZeroPoint?.ToInt32s() ?? new int[scales.Length];
        string? reason = axis < 0 ? "its channels lie on more than one axis"
            : Array.Exists(zeroPoints, static value => value is < sbyte.MinValue or > sbyte.MaxValue) ? "a zero point is no int8"
            : null;
        if (reason is not null)
        {
            // Integers are in the order of the operator's own layout, and never turned here: matrices have their channels on one axis.
            float[] values = new float[integers.Length];
            for (int i = 0; i < values.Length; i++)
            {
                int channel = axis < 0 ? nested.Layout.View.OutputChannelOfRow(i / nested.Layout.View.Taps) : ChannelOf(i, shape, axis);
                values[i] = (integers[i] - zeroPoints[channel]) * scales[channel];
            }

            return new Stored(
                context.Add(wanted, name => TensorProto.FromFloats(name, shape, values), home),
                "",
                "",
                axis,
                shape,
                $"weights in float: {reason}");
        }

        bool isShared = _shared.Contains(nested.High.Name);
        (TensorDataType type, string suffix, int offset) = isShared
            ? (TensorDataType.UInt8, "_uint8", UnsignedOffset)
            : (TensorDataType.Int8, "_int8", 0);
        byte[] bytes = Array.ConvertAll(integers, value => unchecked((byte)(value + offset))),
            offsets = Array.ConvertAll(zeroPoints, value => unchecked((byte)(value + offset)));
        return new Stored(
            context.Add(wanted + suffix, name => TensorProto.FromBytes(name, type, storedShape, bytes), home),
            home == context.Model.Graph && nested.RowOf(nested.PartScale, level) is null
                ? nested.Scale.Name
                : context.Add(nested.Scale.Name, name => TensorProto.FromFloats(name, [scales.Length], scales), home),
            context.Add(wanted + suffix + "_zero_point", name => TensorProto.FromBytes(name, type, [offsets.Length], offsets), home),
            isFlat ? Math.Min(axis, 1) : axis,
            shape,
            Note: null)
        {
            IsFlat = isFlat,
            HasZeroPoint = Array.Exists(offsets, static zeroPoint => zeroPoint != 0),
        };
    }

    /// <summary>Whether a weight is a batch of matrices that a product reads.</summary>
    private static bool IsBatchedFactor(NestedOperator nested, ExportedGraph graph) =>
        nested.Shape.Count > 2 && graph.View.Consumers(nested.Node.Output[0]).Any(static reader => reader.Is("MatMul"));

    /// <summary>The high operands of weights that more than one operator reads, itself or as a float value.</summary>
    private static HashSet<string> Shared(ModelProto model)
    {
        var reads = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (string input in model.AllNodes().SelectMany(static node => node.Input)) reads[input] = reads.GetValueOrDefault(input) + 1;
        var shared = new HashSet<string>(StringComparer.Ordinal);
        foreach (NodeProto node in model.AllNodes().Where(SchemaNodes.IsNested))
        {
            string high = node.InputAt(InputNames.WeightHigh);
            bool isReadTwice = node.Is(OperatorSet.NestedDequantizeLinear)
                && node.Output.Exists(output => reads.GetValueOrDefault(output) > 1);
            if (isReadTwice || reads.GetValueOrDefault(high) > 1) shared.Add(high);
        }

        return shared;
    }

    /// <summary>The axis of the weight's shape that has the output channels; -1 where no single one has.</summary>
    private static int ChannelAxis(NestedOperator nested)
    {
        (int groups, int inner, int channels) = (nested.Layout.View.Groups, nested.Layout.View.Inner, nested.Layout.View.Channels);
        long before = 1;
        for (int axis = 0; axis < nested.Shape.Count; axis++)
        {
            bool isFirst = channels == 1 && before == 1 && nested.Shape[axis] == groups;
            bool isInner = groups == 1 && before == inner && nested.Shape[axis] == channels;
            if (isFirst || isInner) return axis;
            before *= nested.Shape[axis];
        }

        return -1;
    }

    private static int ChannelOf(int element, long[] shape, int axis)
    {
        long behind = 1;
        for (int i = axis + 1; i < shape.Length; i++) behind *= shape[i];
        return (int)(element / behind % shape[axis]);
    }

    private static sbyte[] Turned(sbyte[] values, int rows, int columns)
    {
        var turned = new sbyte[values.Length];
        for (int row = 0; row < rows; row++)
            for (int column = 0; column < columns; column++) turned[(column * rows) + row] = values[(row * columns) + column];
        return turned;
    }
}
