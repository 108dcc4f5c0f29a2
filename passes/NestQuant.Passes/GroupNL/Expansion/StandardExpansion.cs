using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.GroupNL.Recognition;
using NestQuant.Passes.Sampling;

namespace NestQuant.Passes.GroupNL.Expansion;

/// <summary>Writes the expansion of a convolution in operators of ONNX itself.</summary>
/// <param name="view">The main graph.</param>
/// <param name="names">Names that are taken.</param>
/// <param name="opset">Version of the default operator set, at least <see cref="FirstOpset"/>.</param>
/// <param name="options">Ratio, groups and the ranges of shifts and periods.</param>
/// <param name="random">Where shifts and periods come from.</param>
internal sealed class StandardExpansion(GraphView view, UniqueNames names, long opset, GroupNLExpandOptions options, SeededUniform random)
{
    /// <summary>First operator set in which Clip has its bounds as inputs.</summary>
    public const int FirstOpset = 11;

    /// <summary>The smallest norm that is divided by, as in the released code.</summary>
    private const float Epsilon = 1e-12f;

    /// <summary>First operator sets with the sizes of Split, and the axes of ReduceL2, as inputs.</summary>
    private const int SplitWithInputs = 13, ReduceWithInputs = 18;

    /// <summary>Replaces a Conv by its seed convolution and the nodes that generate the other maps.</summary>
    public void Replace(ExpansionCandidate candidate)
    {
        NodeProto conv = candidate.Node;
        ConvShape trained = candidate.Shape!.Value, seed = trained.Seed(options.Ratio, options.Sparse);
        string output = conv.Output[0];
        var nodes = new List<NodeProto>();
        string seeds = SeedConvolution(nodes, candidate, seed);
        string normalised = Normalise(nodes, seeds, output);
        int[] sizes = GroupSizes(seed.Outputs);
        string generated = Generate(nodes, normalised, sizes, trained.Outputs - seed.Outputs, output);
        bool biased = conv.InputAt(2).Length > 0;
        string maps = biased ? names.Next(output + "_maps") : output;
        nodes.Add(Join([normalised, generated], maps, output + "_join"));
        if (biased)
        {
            string bias = Constant(output + "_bias", [trained.Outputs, 1, 1], view.Constant(conv.Input[2])!.ToFloats());
            nodes.Add(Node("Add", output + "_add_bias", [maps, bias], output));
        }

        view.Replace(conv, [.. nodes]);
    }

    /// <summary>Seeds per group: equal, and the remainder in the first one.</summary>
    private int[] GroupSizes(int seeds)
    {
        var sizes = new int[options.Groups];
        Array.Fill(sizes, seeds / options.Groups);
        sizes[0] += seeds % options.Groups;
        return sizes;
    }

    private string SeedConvolution(List<NodeProto> nodes, ExpansionCandidate candidate, ConvShape seed)
    {
        NodeProto conv = candidate.Node;
        TensorProto weight = candidate.Weight!;
        string kept = Constant(
            weight.Name
                + "_seeds", [
                    seed.Outputs, seed.GroupInputs, weight.Dims[2], weight.Dims[3]
                ], SeedFilters.Choose(weight.ToFloats(), candidate.Shape!.Value, seed));
        // The name stays, so that patterns still match the convolution.
        var node = new NodeProto { OpType = conv.OpType, Domain = conv.Domain, Name = conv.Name };
        node.Input.AddRange([conv.Input[0], kept]);
        node.Output.Add(names.Next(conv.Output[0] + "_seeds"));
        node.Attribute.AddRange(conv.Attribute.Where(static attribute => attribute.Name != "group"));
        node.Attribute.Add(AttributeProto.Int("group", seed.Groups));
        nodes.Add(node);
        return node.Output[0];
    }

    private string Normalise(List<NodeProto> nodes, string seeds, string stem)
    {
        NodeProto norm = opset < ReduceWithInputs
            ? Node("ReduceL2", stem + "_norm", [seeds], attributes: AttributeProto.IntList("axes", TracedMaps.ChannelAxis))
            : Node("ReduceL2", stem + "_norm", [seeds, Integers(stem + "_axes", TracedMaps.ChannelAxis)]);
        norm.Attribute.Add(AttributeProto.Int("keepdims", 1));
        NodeProto bound = Node("Clip", stem + "_bound", [norm.Output[0], Constant(stem + "_epsilon", [], [Epsilon])]);
        NodeProto divide = Node("Div", stem + "_normalise", [seeds, bound.Output[0]]);
        nodes.AddRange([norm, bound, divide]);
        return divide.Output[0];
    }

    /// <summary>The function of (maps - shift) * period, with a shift and a period for each copy of each group.</summary>
    private string Generate(List<NodeProto> nodes, string normalised, int[] sizes, int count, string stem)
    {
        int copies = options.Ratio - 1;
        float[] shifts = PerMap(random.Next(sizes.Length * copies, options.Shift), sizes),
            periods = PerMap(random.Next(sizes.Length * copies, options.Period), sizes);
        NodeProto shift = Node(
            "Sub", stem + "_shift", [Repeat(nodes, normalised, sizes, stem), Constant(stem + "_shifts", [count, 1, 1], shifts)]);
        NodeProto scale = Node("Mul", stem + "_scale", [shift.Output[0], Constant(stem + "_periods", [count, 1, 1], periods)]);
        nodes.AddRange([shift, scale]);
        var function = new StandardFunction(
            nodes, (type, suffix, inputs) => Node(type, stem + suffix, inputs), (suffix, value) => Constant(stem + suffix, [], [value]));
        return function.Write(options.Function, scale.Output[0]);
    }

    /// <summary>Repeats every group of maps once per copy, group after group; with one copy, returns the maps as they are.</summary>
    private string Repeat(List<NodeProto> nodes, string normalised, int[] sizes, string stem)
    {
        int copies = options.Ratio - 1;
        if (copies == 1) return normalised;
        string repeats = Integers(stem + "_repeats", 1, copies, 1, 1);
        if (sizes.Length == 1)
        {
            nodes.Add(Node("Tile", stem + "_tile", [normalised, repeats]));
            return nodes[^1].Output[0];
        }

        NodeProto split = opset < SplitWithInputs
            ? Node(
                "Split",
                stem + "_split",
                [normalised],
                attributes: AttributeProto.IntList("split", Array.ConvertAll(sizes, static size => (long)size)))
            : Node("Split", stem + "_split", [normalised, Integers(stem + "_sizes", Array.ConvertAll(sizes, static size => (long)size))]);
        split.Attribute.Add(AttributeProto.Int("axis", TracedMaps.ChannelAxis));
        while (split.Output.Count < sizes.Length) split.Output.Add(names.Next(stem + "_split"));
        nodes.Add(split);
        NodeProto[] tiles = [.. split.Output.Select(group => Node("Tile", stem + "_tile", [group, repeats]))];
        nodes.AddRange(tiles);
        nodes.Add(Join([.. tiles.Select(static tile => tile.Output[0])], names.Next(stem + "_repeat"), stem + "_repeat"));
        return nodes[^1].Output[0];
    }

    /// <summary>Values per group and copy, for every map.</summary>
    private float[] PerMap(float[] values, int[] sizes)
    {
        int copies = options.Ratio - 1;
        return [.. values.SelectMany((value, i) => Enumerable.Repeat(value, sizes[i / copies]))];
    }

    private NodeProto Join(IEnumerable<string> values, string output, string name)
    {
        NodeProto join = Node("Concat", name, values, output);
        join.Attribute.Add(AttributeProto.Int("axis", TracedMaps.ChannelAxis));
        return join;
    }

    private NodeProto Node(
        string type, string name, IEnumerable<string> inputs, string? output = null, params ReadOnlySpan<AttributeProto> attributes)
    {
        string unique = names.Next(name);
        var node = new NodeProto { OpType = type, Name = unique };
        node.Input.AddRange(inputs);
        node.Output.Add(output ?? unique);
        node.Attribute.AddRange(attributes);
        return node;
    }

    private string Constant(string name, ReadOnlySpan<long> dims, float[] values)
    {
        TensorProto tensor = TensorProto.FromFloats(names.Next(name), dims, values);
        view.AddInitializer(tensor);
        return tensor.Name;
    }

    private string Integers(string name, params long[] values)
    {
        TensorProto tensor = TensorProto.FromInt64s(names.Next(name), [values.Length], values);
        view.AddInitializer(tensor);
        return tensor.Name;
    }
}
