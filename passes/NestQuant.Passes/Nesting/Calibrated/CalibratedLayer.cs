using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Nesting.Calibrated;

/// <summary>A node with a weight that is rounded for the data it sees.</summary>
/// <param name="Node">The node, of the main graph.</param>
/// <param name="Weight">Its weight, which other nodes may read too.</param>
/// <param name="Rows">What multiplies the weight.</param>
/// <param name="Bias">What the node adds to its product, one value per output channel; null where that is not constant.</param>
/// <param name="RoundsFull">Whether full precision is rounded for the data.</param>
/// <param name="RoundsParts">Whether the levels below it are.</param>
internal sealed record CalibratedLayer(
    NodeProto Node, CalibratedWeight Weight, LayerRows Rows, float[]? Bias, bool RoundsFull, bool RoundsParts)
{
    /// <summary>What the node multiplies its product with.</summary>
    public float Alpha { get; } = Node.Is("Gemm") ? Node.GetFloat("alpha", 1) : 1;

    /// <summary>The bias that makes up for the mean error at a level, by the level's bits.</summary>
    public Dictionary<int, float[]> Biases { get; } = [];

    /// <summary>Rows of the calibration data; 0 before they are counted.</summary>
    public long Positions { get; set; }

    /// <summary>Whether there is nothing to find at a level: its integers, and the bias if it has one of its own.</summary>
    public bool IsKnown(int level)
    {
        bool isRounded = level == Weight.Bits.Full ? RoundsFull : RoundsParts;
        return !isRounded || (Weight.Has(level) && (Bias is null || Biases.ContainsKey(level)));
    }

    /// <summary>The values of a group's output channels, of [M] or [M, K] values.</summary>
    public T[] OfGroup<T>(T[] values, int group)
    {
        int length = values.Length / Rows.Groups;
        return values[(group * length)..((group + 1) * length)];
    }

    /// <summary>The node with the bias of a level, and another one where its operator has none.</summary>
    /// <param name="level">Bits of the level, whose bias is known.</param>
    /// <param name="names">Makes names for what is new.</param>
    /// <param name="bias">The bias.</param>
    public NodeProto[] WithBias(int level, UniqueNames names, out TensorProto bias)
    {
        bias = TensorProto.FromFloats(names.Next(Node.Output[0] + "_bias"), [Biases[level].Length], Biases[level]);
        var copy = new NodeProto { OpType = Node.OpType, Domain = Node.Domain, Name = Node.Name };
        copy.Input.AddRange([Node.Input[0], Node.Input[1]]);
        copy.Output.AddRange(Node.Output);
        copy.Attribute.AddRange(Node.Attribute.Where(static attribute => attribute.Name != "beta"));
        if (!Node.Is("MatMul"))
        {
            copy.Input.Add(bias.Name);
            return [copy];
        }

        copy.Output[0] = names.Next(Node.Output[0] + "_product");
        var add = new NodeProto { OpType = "Add", Name = names.Next(Node.Output[0] + "_add_bias") };
        add.Input.AddRange([copy.Output[0], bias.Name]);
        add.Output.AddRange(Node.Output);
        return [copy, add];
    }
}
