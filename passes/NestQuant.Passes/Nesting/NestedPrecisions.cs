using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Nesting;

/// <summary>The precisions that a compiled model can run at, highest first: n and h, or h alone when the low operands are absent.</summary>
public sealed record NestedPrecisions(IReadOnlyList<int> Bits)
{
    /// <summary>The highest precision, which is also the default of a run.</summary>
    public int Highest => Bits[0];

    /// <summary>Reads the precisions from a model's nested operators; null when it has none.</summary>
    /// <exception cref="ModelException">The operators disagree, so that no precision fits all.</exception>
    public static NestedPrecisions? Of(ModelProto model)
    {
        NestedPrecisions? all = null;
        foreach (NodeProto node in model.AllNodes().Where(SchemaNodes.IsNested))
        {
            NestedBits bits = NestedOperator.BitsOf(node);
            NestedPrecisions own = new(NestedOperator.HasLow(node) ? [bits.Full, bits.High] : [bits.High]);
            if (all is not null && !all.Bits.SequenceEqual(own.Bits))
                throw NestedOperator.Damaged(node, $"it runs at {own}, others at {all}");
            all = own;
        }

        return all;
    }

    /// <summary>Fails unless a model can run at a precision.</summary>
    /// <exception cref="ModelException">It cannot.</exception>
    public static void Check(string path, NestedPrecisions? precisions, int bits)
    {
        if (precisions is null)
            throw new ModelException($"{path}: the model has no nested weights, so it has no choice of bits");
        if (!precisions.Bits.Contains(bits))
            throw new ModelException($"{path}: {bits} bits are not possible: the model runs at {precisions}");
    }

    /// <inheritdoc/>
    public override string ToString() => $"{string.Join(" or ", Bits)} bits";
}
