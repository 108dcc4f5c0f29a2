using NestQuant.Compiler.Onnx;
using NestQuant.Passes.Nesting;

namespace NestQuant.Passes.Export;

/// <summary>Nested weights at one precision, as int8 initializers with a scale per channel.</summary>
internal sealed class ExportedWeights(ExportContext context)
{
    private readonly Dictionary<(string High, bool Turned, string Scale), Stored> _stored = [];

    /// <summary>A weight in the exported model.</summary>
    /// <param name="Name">An int8 initializer, or a float one where <paramref name="Scale"/> is empty.</param>
    /// <param name="Scale">Float initializer [M].</param>
    /// <param name="ZeroPoint">int8 initializer [M].</param>
    /// <param name="Axis">The axis of the channels.</param>
    /// <param name="Shape">The shape.</param>
    /// <param name="Note">Why the weight is float; null where it is int8.</param>
    private sealed record Stored(string Name, string Scale, string ZeroPoint, int Axis, long[] Shape, string? Note);

    /// <summary>The float form of a nested operator's weight.</summary>
    /// <param name="nested">The operator.</param>
    /// <param name="graph">The graph that reads it.</param>
    /// <param name="turn">Whether a matrix [N, K] is wanted as [K, N].</param>
    /// <param name="note">Why the weight is stored in float; null where it is not.</param>
    /// <returns>Name of the exported float value.</returns>
    public string Dequantize(NestedOperator nested, ExportedGraph graph, bool turn, out string? note)
    {
        var key = (nested.High.Name, turn, nested.Scale.Name);
        if (!_stored.TryGetValue(key, out Stored? stored)) _stored[key] = stored = Store(nested, turn);
        note = stored.Note;
        if (stored.Scale.Length == 0) return stored.Name;
        string output = context.Names.Next(stored.Name + "_dequantized");
        graph.Add("DequantizeLinear", stored.Name + "_dequantize", [stored.Name, stored.Scale, stored.ZeroPoint], output, AttributeProto.Int("axis", stored.Axis));
        return output;
    }

    private Stored Store(NestedOperator nested, bool turn)
    {
        string wanted = nested.High.Name.EndsWith("_high", StringComparison.Ordinal) ? nested.High.Name[..^"_high".Length] : nested.High.Name;
        sbyte[] integers = nested.Integers(context.IsPart);
        long[] shape = [.. nested.Shape];
        int axis = ChannelAxis(nested);
        if (turn)
        {
            integers = Turned(integers, (int)shape[0], (int)shape[1]);
            Array.Reverse(shape);
            axis = 1 - axis;
        }

        float[] scales = nested.Scale.ToFloats();
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

            return new Stored(context.Add(wanted, name => TensorProto.FromFloats(name, shape, values)), "", "", axis, shape, $"weights in float: {reason}");
        }

        byte[] bytes = Array.ConvertAll(integers, static value => unchecked((byte)value)), offsets = Array.ConvertAll(zeroPoints, static value => unchecked((byte)(sbyte)value));
        return new Stored(
            context.Add(wanted + "_int8", name => TensorProto.FromBytes(name, TensorDataType.Int8, shape, bytes)),
            nested.Scale.Name,
            context.Add(wanted + "_int8_zero_point", name => TensorProto.FromBytes(name, TensorDataType.Int8, [offsets.Length], offsets)),
            axis,
            shape,
            Note: null);
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
