using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>The attributes that describe a nested weight, read and checked; nothing in a model is trusted.</summary>
internal static class WeightAttributes
{
    /// <summary>The levels of a weight.</summary>
    public static NestedBits Bits(in KernelInfo info)
    {
        long full = info.Int(OperatorAttributes.FullBits);
        long high = info.Int(OperatorAttributes.HighBits);
        if (full is < 0 or > 64 || high is < 0 or > 64)
            throw new OperatorException(Invariant($"nested bits {full}:{high} are not valid: n:h needs 2 <= h < n <= 8"));
        NestedBits pair = new((int)full, (int)high);
        if (info.OptionalInts(OperatorAttributes.Levels) is not { } levels)
            return pair;
        if (levels.Length > NestedBits.MostLevels)
            throw new OperatorException(
                Invariant($"attribute '{AttributeNames.Levels}' has {levels.Length} values, at most {NestedBits.MostLevels} expected"));
        bool isDescending = levels[0] == full && levels[^1] == high;
        for (int i = 1; i < levels.Length; i++)
            isDescending &= levels[i] < levels[i - 1];
        return isDescending
            ? new NestedBits([.. levels.Select(static level => (int)level)])
            : throw new OperatorException(
                $"attribute '{AttributeNames.Levels}' {TensorView.Text(levels)} does not descend from n to h, here from {full} to {high}");
    }

    /// <summary>The layout of the operands.</summary>
    public static NestedLayout Layout(in KernelInfo info, ChannelView view) =>
        new(Bits(info), view, info.Int(OperatorAttributes.LayoutVersion));

    /// <summary>The tag that the operands must carry; of no meaning before layout version 2.</summary>
    public static WeightTag Tag(in KernelInfo info, NestedLayout layout)
    {
        if (!layout.HasTrailer)
            return default;
        string text = info.String(OperatorAttributes.WeightTag);
        return WeightTag.TryParse(text, out WeightTag tag)
            ? tag
            : throw new OperatorException($"attribute '{AttributeNames.WeightTag}' is '{text}', 16 lower-case hexadecimal digits expected");
    }

    /// <summary>The weight's shape, every dimension from 1 to 2^31 - 1, and fewer than 2^62 elements.</summary>
    public static int[] Shape(in KernelInfo info)
    {
        long[] shape = info.Ints(OperatorAttributes.Shape);
        Product(AttributeNames.Shape, shape);
        return Array.ConvertAll(shape, static d => (int)d);
    }

    /// <summary>The channel view, which must cover exactly the elements of the shape.</summary>
    public static ChannelView ChannelView(in KernelInfo info, int[] shape)
    {
        long[] view = info.Ints(OperatorAttributes.ChannelView);
        if (view.Length != 4)
            throw new OperatorException(Invariant($"attribute 'channel_view' has {view.Length} values, 4 expected"));
        if (Product(AttributeNames.ChannelView, view) != Product(AttributeNames.Shape, [.. shape]))
            throw new OperatorException(
                $"attribute 'channel_view' {TensorView.Text(view)} does not cover the shape {TensorView.Text([.. shape])}");
        return new ChannelView((int)view[0], (int)view[1], (int)view[2], (int)view[3]);
    }

    private static long Product(string name, long[] dimensions)
    {
        long product = 1;
        foreach (long d in dimensions)
        {
            if (d is < 1 or > int.MaxValue)
                throw new OperatorException(Invariant($"attribute '{name}' has the dimension {d}, outside 1 to 2^31 - 1"));
            if (product > (1L << 62) / d)
                throw new OperatorException($"attribute '{name}' {TensorView.Text(dimensions)} has too many elements");
            product *= d;
        }

        return product;
    }
}
