using NestQuant.Compiler.Graph;
using NestQuant.Compiler.Onnx;

namespace NestQuant.Passes.Integer.Layout;

/// <summary>The two orders of axes, channels first (N, C, spatial) and channels last (N, spatial, C), and the transposes between them.</summary>
internal static class AxisOrder
{
    /// <summary>The permutation that takes channels-first to channels-last tensors.</summary>
    public static long[] ToLast(int rank) => [0, .. Enumerable.Range(2, rank - 2).Select(static axis => (long)axis), 1];

    /// <summary>The permutation that takes channels-last to channels-first tensors.</summary>
    public static long[] ToFirst(int rank) => [0, rank - 1, .. Enumerable.Range(1, rank - 2).Select(static axis => (long)axis)];

    /// <summary>Whether a node is a transpose to channels last. With one spatial axis both transposes are the same.</summary>
    public static bool IsToLast(NodeProto? node) => Permutation(node) is { } permutation && permutation.AsSpan().SequenceEqual(ToLast(permutation.Length));

    /// <summary>Whether a node is a transpose to channels first.</summary>
    public static bool IsToFirst(NodeProto? node) => Permutation(node) is { } permutation && permutation.AsSpan().SequenceEqual(ToFirst(permutation.Length));

    /// <summary>Where an axis of a channels-first tensor lies in the channels-last one.</summary>
    /// <param name="axis">The axis; a negative one counts from the end.</param>
    /// <param name="rank">Rank of the tensor, at least 3.</param>
    public static long InLast(long axis, int rank) => (axis < 0 ? axis + rank : axis) switch { 0 => 0, 1 => rank - 1, var spatial => spatial - 1 };

    /// <summary>Values per axis, put into the order of channels last.</summary>
    public static T[] Reordered<T>(ReadOnlySpan<T> values)
    {
        var reordered = new T[values.Length];
        for (int axis = 0; axis < values.Length; axis++) reordered[InLast(axis, values.Length)] = values[axis];
        return reordered;
    }

    /// <summary>Makes a transpose.</summary>
    public static NodeProto Transpose(string input, string output, long[] permutation, string name)
    {
        var node = new NodeProto { OpType = "Transpose", Name = name };
        node.Input.Add(input);
        node.Output.Add(output);
        node.Attribute.Add(AttributeProto.IntList("perm", permutation));
        return node;
    }

    private static long[]? Permutation(NodeProto? node) =>
        node is { Input.Count: 1, Output.Count: 1 } && node.Is("Transpose") && node.GetInts("perm") is { Length: > 2 } permutation ? permutation : null;
}
