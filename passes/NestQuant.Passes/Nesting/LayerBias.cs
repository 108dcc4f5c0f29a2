using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Nesting;

/// <summary>
/// Writes the bias of a layer that has another one at every level. The nested integer operators have an input for it; weight-only layers
/// read it from a node.
/// <code>
/// y = Conv (x, w, B)                                                           y = Add (MatMul (x, w), B)
/// b = com.nestquant.NestedBias (B, nest_bits, part_bias); y = Conv (x, w, b)   b = NestedBias (...); y = Add (MatMul (x, w), b)
/// </code>
/// </summary>
internal sealed class LayerBias(UniqueNames names)
{
    /// <summary>The constant that a nested operator reads as its bias at full precision; empty for none.</summary>
    /// <param name="candidate">The layer.</param>
    /// <param name="own">What it would read otherwise.</param>
    public string Full(NestingCandidate candidate, string own) =>
        candidate.FullBias is { } bias ? Add(candidate.View, Stem(candidate) + "_bias", [bias.Length], bias) : own;

    /// <summary>The constant that a nested operator reads as its biases below full precision; empty where they are that at full.</summary>
    public string Part(NestingCandidate candidate) => candidate.PartBias is { } bias ? AddPart(candidate, bias) : "";

    /// <summary>Gives a weight-only layer its biases.</summary>
    /// <param name="candidate">The layer, whose biases are not null.</param>
    /// <param name="bits">The levels of its weight.</param>
    /// <param name="precision">The value that selects the precision of a run.</param>
    public void WriteWeightOnly(NestingCandidate candidate, NestedBits bits, string precision)
    {
        if (candidate is { FullBias: null, PartBias: null }) return;
        if (!candidate.HasChannelBias)
            throw new ArgumentException($"node '{candidate.Node.DisplayName()}' has no bias per output channel");
        NodeProto node = candidate.Node;
        if (node.Is("Conv") || node.Is("ConvTranspose"))
        {
            SetBias(candidate, Value(candidate, node, node.InputAt(2), bits, precision));
            return;
        }

        if (node.Is("Gemm") && (node.InputAt(2).Length == 0 || GemmBias.Constant(candidate) is not null))
        {
            // A copy with beta in it takes the place of the constant, so that beta is not applied to what replaces it below full precision.
            SetBias(candidate, Value(candidate, node, GemmBias.Of(candidate, names).Fused, bits, precision));
            node.Attribute.RemoveAll(static attribute => attribute.Name == "beta");
            return;
        }

        if (AddedBias.Of(node, candidate.Channels.OutputChannels, candidate.View) is { Bias: { } constant } added)
            ReplaceAdded(candidate, added, constant, bits, precision);
        else AppendAdd(candidate, bits, precision);
    }

    /// <summary>A product whose only reader adds a constant per output channel: the levels take the place of that constant.</summary>
    private void ReplaceAdded(NestingCandidate candidate, AddedBias added, TensorProto constant, NestedBits bits, string precision)
    {
        float[] values = constant.ToFloats();
        candidate.PartBias = candidate.PartBias is { } part ? AddedBias.PlusEveryRow(part, values) : null;
        candidate.FullBias = candidate.FullBias is { } full ? AddedBias.PlusEveryRow(full, values) : null;
        string value = Value(candidate, added.Add, constant.Name, bits, precision);
        candidate.View.SetInput(added.Add, added.Position, value);
    }

    private void AppendAdd(NestingCandidate candidate, NestedBits bits, string precision)
    {
        NodeProto node = candidate.Node;
        string output = node.Output[0], bias = Value(candidate, node, "", bits, precision);
        var product = new NodeProto { OpType = node.OpType, Name = node.Name };
        product.Input.AddRange(node.Input);
        product.Attribute.AddRange(node.Attribute);
        product.Output.Add(names.Next(output + "_product"));
        var add = new NodeProto { OpType = "Add", Name = names.Next(output + "_add_bias") };
        add.Input.AddRange([product.Output[0], bias]);
        add.Output.Add(output);
        candidate.View.Replace(node, product, add);
    }

    /// <summary>The bias of the layer: a constant, or the result of a NestedBias in front of a node.</summary>
    private string Value(NestingCandidate candidate, NodeProto reader, string own, NestedBits bits, string precision)
    {
        string full = Full(candidate, own);
        if (Part(candidate) is not { Length: > 0 } part) return full;
        string stem = Stem(candidate), value = names.Next(stem + "_level_bias");
        NodeProto node = OperatorSet.NestedBias.NewNode(
            names.Next(stem + "_bias"),
            [(InputNames.Bias, full), (InputNames.Bits, precision), (InputNames.PartBias, part)],
            value);
        NestedLevels.Describe(node, bits);
        candidate.View.InsertBefore(reader, node);
        return value;
    }

    private static void SetBias(NestingCandidate candidate, string value)
    {
        const int position = 2;
        while (candidate.Node.Input.Count <= position) candidate.Node.Input.Add("");
        candidate.View.SetInput(candidate.Node, position, value);
    }

    private string AddPart(NestingCandidate candidate, float[] bias)
    {
        long channels = candidate.Channels.OutputChannels;
        return Add(candidate.View, Stem(candidate) + "_part_bias", [bias.Length / channels, channels], bias);
    }

    private string Add(GraphView view, string wanted, long[] shape, float[] values)
    {
        string name = names.Next(wanted);
        view.AddInitializer(TensorProto.FromFloats(name, shape, values));
        return name;
    }

    private static string Stem(NestingCandidate candidate) => candidate.Node.DisplayName();
}
