using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Integer.Layout;

/// <summary>A change of tensors from channels first to channels last, or back: maps axis numbers and per-axis values to the new
/// order.</summary>
/// <param name="rank">Rank of the tensors, at least 3.</param>
/// <param name="toLast">Whether the result is channels last.</param>
/// <param name="add">Adds an initializer, given a preferred name and a function that creates the tensor under the name that is free;
/// returns that name.</param>
internal sealed class LayoutChange(int rank, bool toLast, Func<string, Func<string, TensorProto>, string> add)
{
    /// <summary>Rank of the tensors.</summary>
    public int Rank => rank;

    /// <summary>The position of an axis in the new order.</summary>
    /// <param name="axis">The axis; a negative one counts from the end.</param>
    public long Of(long axis) => Of(axis, rank, toLast);

    /// <summary>The position of an axis in the new order.</summary>
    /// <param name="axis">The axis; a negative one counts from the end.</param>
    /// <param name="rank">Rank of the tensor, at least 3.</param>
    /// <param name="toLast">Whether the new order is channels last.</param>
    public static long Of(long axis, int rank, bool toLast)
    {
        long first = axis < 0 ? axis + rank : axis, channels = toLast ? 1 : rank - 1;
        if (first == 0) return 0;
        if (first == channels) return toLast ? rank - 1 : 1;
        return toLast ? first - 1 : first + 1;
    }

    /// <summary>Values per axis, in the new order.</summary>
    public T[] Reordered<T>(ReadOnlySpan<T> values)
    {
        var reordered = new T[values.Length];
        for (int axis = 0; axis < values.Length; axis++) reordered[Of(axis)] = values[axis];
        return reordered;
    }

    /// <summary>Gives a node a new int64 constant at one of its inputs.</summary>
    public void Set(NodeProto node, int input, long[] values) =>
        Set(node, input, name => TensorProto.FromInt64s(name, [values.Length], values));

    /// <summary>Gives a node a new float constant at one of its inputs.</summary>
    public void Set(NodeProto node, int input, float[] values) =>
        Set(node, input, name => TensorProto.FromFloats(name, [values.Length], values));

    private void Set(NodeProto node, int input, Func<string, TensorProto> create)
    {
        string name = add(node.InputAt(input) is { Length: > 0 } known ? known : node.DisplayName() + "_axes", create);
        while (node.Input.Count <= input) node.Input.Add("");
        node.Input[input] = name;
    }
}
