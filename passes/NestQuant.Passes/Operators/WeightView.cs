using NestQuant.Onnx;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Operators;

/// <summary>The weight layouts of the operators that can be nested.</summary>
internal static class WeightView
{
    /// <summary>
    /// The channel view of the weight of one of the operators of <see cref="WeightOperators"/>; null for other operators and for shapes
    /// that do not fit the operator or hold no weights.
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
            "LSTM" or "GRU" or "RNN" when dims.Length == 3 => Create(dims[0] * dims[1], dims[2], 1, 1),
            "Gather" when dims.Length >= 2 => Create(dims[0], Product(dims.AsSpan(1)), 1, 1),
            _ => null,
        };
    }

    /// <summary>The channel view of a matrix [N, K] that is multiplied by transposed; null where it has no weights or too many.</summary>
    public static ChannelView? OfTransposed(TensorProto weight) => weight.Dims is [> 0 and <= int.MaxValue and var rows, var length]
        ? Create(rows, length, 1, 1)
        : null;

    private static ChannelView? Create(long groups, long inner, long channels, long taps)
    {
        if (Product([groups, inner, channels, taps]) is < 1 or > int.MaxValue) return null;
        var view = new ChannelView((int)groups, (int)inner, (int)channels, (int)taps);
        return NestedLayout.Fits(view) ? view : null;
    }

    /// <summary>The product, or a value beyond int.MaxValue where it would overflow.</summary>
    private static long Product(ReadOnlySpan<long> dims)
    {
        long product = 1;
        foreach (long dim in dims) product = Math.Min(product * dim, (long)int.MaxValue + 1);
        return product;
    }
}
