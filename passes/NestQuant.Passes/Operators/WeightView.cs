using NestQuant.Onnx;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Operators;

/// <summary>The weight layouts of the operators that can be nested.</summary>
internal static class WeightView
{
    /// <summary>
    /// The channel view of input 1 of a Conv, ConvTranspose, Gemm or MatMul; null for other operators and for shapes that do not
    /// fit the operator or hold no weights.
    /// </summary>
    public static ChannelView? Of(NodeProto node, TensorProto weight)
    {
        long[] dims = [.. weight.Dims];
        if (dims.Any(static dim => dim is <= 0 or > int.MaxValue)) return null;
        long group = node.GetInt("group", 1);
        return node.OpType switch
        {
            "Conv" when dims.Length >= 3 && group > 0 && dims[0] % group == 0 => Create(dims[0], dims[1], 1, Product(dims.AsSpan(2))),
            "ConvTranspose" when dims.Length >= 3 && group > 0 && dims[0] % group == 0 =>
                Create(group, dims[0] / group, dims[1], Product(dims.AsSpan(2))),
            "Gemm" when dims.Length == 2 => node.GetInt("transB", 0) != 0 ? Create(dims[0], dims[1], 1, 1) : Create(1, dims[0], dims[1], 1),
            "MatMul" when dims.Length >= 2 => Create(Product(dims.AsSpan(..^2)), dims[^2], dims[^1], 1),
            _ => null,
        };
    }

    private static ChannelView? Create(long groups, long inner, long channels, long taps) =>
        Product([groups, inner, channels, taps]) <= int.MaxValue
            ? new ChannelView((int)groups, (int)inner, (int)channels, (int)taps)
            : null;

    /// <summary>The product, or a value beyond int.MaxValue where it would overflow.</summary>
    private static long Product(ReadOnlySpan<long> dims)
    {
        long product = 1;
        foreach (long dim in dims) product = Math.Min(product * dim, (long)int.MaxValue + 1);
        return product;
    }
}
