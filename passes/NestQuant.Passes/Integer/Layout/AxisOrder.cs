using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Integer.Layout;

/// <summary>
/// The two orders of axes, channels first (N, C, spatial) and channels last (N, spatial, C), and the transposes between them.
/// </summary>
internal static class AxisOrder
{
    /// <summary>The permutation that takes channels-first to channels-last tensors.</summary>
    public static long[] ToLast(int rank) => [0, .. Enumerable.Range(2, rank - 2).Select(static axis => (long)axis), 1];

    /// <summary>The permutation that takes channels-last to channels-first tensors.</summary>
    public static long[] ToFirst(int rank) => [0, rank - 1, .. Enumerable.Range(1, rank - 2).Select(static axis => (long)axis)];

    /// <summary>Whether a node is a transpose to channels last. With one spatial axis both transposes are the same.</summary>
    public static bool IsToLast(NodeProto? node) =>
        Permutation(node) is { } permutation && permutation.AsSpan().SequenceEqual(ToLast(permutation.Length));

    /// <summary>Whether a node is a transpose to channels first.</summary>
    public static bool IsToFirst(NodeProto? node) =>
        Permutation(node) is { } permutation && permutation.AsSpan().SequenceEqual(ToFirst(permutation.Length));

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
        node is { Input.Count: 1, Output.Count: 1 } && node.Is("Transpose") && node.GetInts("perm") is { Length: > 2 } permutation
            ? permutation
            : null;
}
