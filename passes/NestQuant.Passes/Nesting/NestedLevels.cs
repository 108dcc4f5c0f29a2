using NestQuant.Onnx;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Nesting;

/// <summary>The levels of a nested operator as its attributes and inputs give them.</summary>
internal static class NestedLevels
{
    /// <summary>The levels that an operator's attributes name.</summary>
    /// <exception cref="ModelException">They are missing or impossible.</exception>
    public static NestedBits Of(NodeProto node)
    {
        ArgumentNullException.ThrowIfNull(node);
        long full = node.GetInt(OperatorAttributes.FullBits), high = node.GetInt(OperatorAttributes.HighBits);
        try
        {
            if (node.GetInts(AttributeNames.Levels) is not { } levels) return checked(new NestedBits((int)full, (int)high));
            var bits = new NestedBits(Array.ConvertAll(levels, static level => checked((int)level)));
            return bits.Full == full && bits.High == high
                ? bits
                : throw new ArgumentException($"its levels are {bits}, where its n and h are {full} and {high}");
        }
        catch (Exception e) when (e is ArgumentException or OverflowException)
        {
            throw NestedOperator.Damaged(node, e.Message);
        }
    }

    /// <summary>Adds the attributes that give levels.</summary>
    public static void Describe(NodeProto node, NestedBits bits)
    {
        node.Attribute.Add(AttributeProto.Int(AttributeNames.FullBits, bits.Full));
        node.Attribute.Add(AttributeProto.Int(AttributeNames.HighBits, bits.High));
        if (bits.Count > 2)
            node.Attribute.Add(AttributeProto.IntList(AttributeNames.Levels, [.. bits.Levels.Select(static level => (long)level)]));
    }

    /// <summary>The steps, the lowest first: the bits that each reaches, and the input that reads its low operand.</summary>
    public static IEnumerable<(int Bits, string Input)> Steps(NestedBits bits) =>
        bits.Levels.Reverse().Skip(1).Select(static (level, position) => (level, InputNames.WeightStep(position + 1)));

    /// <summary>The highest level whose steps an operator has: those above an absent one are not usable.</summary>
    /// <exception cref="ModelException">Its attributes give no levels.</exception>
    public static int Highest(NodeProto node)
    {
        NestedBits bits = Of(node);
        int highest = bits.High;
        foreach ((int level, string input) in Steps(bits))
        {
            if (node.InputAt(input).Length == 0) break;
            highest = level;
        }

        return highest;
    }
}
