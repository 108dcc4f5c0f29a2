using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Nesting;

/// <summary>
/// The precisions that a compiled model can run at, highest first: the levels of all its weights. At each, a weight that has no
/// such level runs at <see cref="NestedBits.LevelAt"/>. Those at which a weight would need a low operand that is absent are left out.
/// </summary>
/// <param name="Bits">The precisions; never empty.</param>
public sealed record NestedPrecisions(IReadOnlyList<int> Bits)
{
    /// <summary>The highest precision, which is also the default of a run.</summary>
    public int Highest => Bits[0];

    /// <summary>Reads the precisions from a model's nested operators; null when it has none.</summary>
    /// <exception cref="ModelException">An operator is damaged.</exception>
    public static NestedPrecisions? Of(ModelProto model)
    {
        ArgumentNullException.ThrowIfNull(model);
        (NestedBits Bits, int Highest)[] weights =
        [
            .. from node in model.AllNodes()
               where node.IsNested()
               select (NestedLevels.Of(node), NestedLevels.Highest(node)),
        ];
        if (weights.Length == 0) return null;
        IEnumerable<int> levels = weights.SelectMany(static weight => weight.Bits.Levels);
        return new NestedPrecisions([.. levels.Distinct().Where(IsPossible).OrderDescending()]);

        bool IsPossible(int precision) => Array.TrueForAll(weights, weight => weight.Bits.LevelAt(precision) <= weight.Highest);
    }

    /// <summary>Fails unless a model can run at a precision.</summary>
    /// <param name="path">What the error names.</param>
    /// <param name="precisions">The model's precisions.</param>
    /// <param name="bits">The precision.</param>
    /// <exception cref="ModelException">It cannot.</exception>
    public static void Check(string path, NestedPrecisions? precisions, int bits)
    {
        if (precisions is null)
            throw new ModelException($"{path}: the model has no nested weights, so it has no choice of bits");
        if (!precisions.Bits.Contains(bits))
            throw new ModelException($"{path}: {bits} bits are not possible: the model runs at {precisions}");
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        string others = string.Join(", ", Bits.SkipLast(1));
        return FormattableString.Invariant($"{others}{(others.Length > 0 ? " or " : "")}{Bits[^1]} bits");
    }
}
