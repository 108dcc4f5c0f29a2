using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.GroupNL.Expansion;
using NestQuant.Passes.GroupNL.Recognition;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Export;

/// <summary>
/// GroupNL's expansion.
/// <code>
/// y = com.nestquant.GroupNLExpand (x, shift, period, scale, bias)
/// n = Div (x, Clip (ReduceL2 (x))); y = Relu (Add (Mul (Concat (n, Sin (Mul (Sub (Gather (n), shift), period))), scale), bias))
/// </code>
/// </summary>
internal static class GroupNLExport
{
    private const long ChannelAxis = 1;

    /// <summary>First operator sets with the axes of ReduceL2 as an input, and with HardSwish.</summary>
    private const long ReduceWithInputs = 18, HardSwishOpset = 14;

    /// <summary>GroupNLExpand, channels first or last.</summary>
    public static void Expand(NodeProto node, ExportedGraph graph)
    {
        string x = node.InputAt(InputNames.X);
        int rank = graph.RankOfMaps(node);
        bool isLast = node.GetInt(OperatorAttributes.ChannelsLast) != 0;
        Expand(
            node,
            graph,
            isLast ? graph.ChannelsFirst(x, rank) : graph.AsCompiled(x),
            rank,
            graph.Define(node.Output[0], isLast ? rank : 0));
        graph.Log(node);
    }

    /// <summary>Writes the expansion that a node describes.</summary>
    /// <param name="node">The node.</param>
    /// <param name="graph">Where to.</param>
    /// <param name="seeds">Seed maps, channels first.</param>
    /// <param name="rank">Rank of the maps.</param>
    /// <param name="output">Name of the result, channels first.</param>
    public static void Expand(NodeProto node, ExportedGraph graph, string seeds, int rank, string output)
    {
        var block = new Block(graph, output);
        NodeProto norm = block.Add(
            "ReduceL2", "_norm", graph.Context.Opset < ReduceWithInputs ? [seeds] : [seeds, block.Integers("_axes", ChannelAxis)]);
        if (norm.Input.Count == 1) norm.Attribute.Add(AttributeProto.IntList("axes", ChannelAxis));
        norm.Attribute.Add(AttributeProto.Int("keepdims", 1));
        string epsilon = block.Floats("_epsilon", [], node.GetFloat(OperatorAttributes.Epsilon));
        string normalised = block.Add("Div", "_normalise", [seeds, block.Add("Clip", "_bound", [norm.Output[0], epsilon]).Output[0]])
            .Output[0];

        NodeProto gather = block.Add(
            "Gather", "_repeat", [normalised, block.Integers("_sources", node.GetInts(AttributeNames.Source) ?? [])]);
        gather.Attribute.Add(AttributeProto.Int("axis", ChannelAxis));
        string shifted = block.Add("Sub", "_shift", [gather.Output[0], PerMap(node, InputNames.Shift, rank, graph, block)]).Output[0];
        string scaled = block.Add("Mul", "_scale", [shifted, PerMap(node, InputNames.Period, rank, graph, block)]).Output[0];
        var generate = new List<NodeProto>();
        string value = new StandardFunction(generate, block.Create, (suffix, number) => block.Floats(suffix, [], number))
            .Write(FunctionOf(node), scaled);
        generate.ForEach(graph.Add);
        NodeProto join = block.Add("Concat", "_join", [normalised, value]);
        join.Attribute.Add(AttributeProto.Int("axis", ChannelAxis));
        value = join.Output[0];
        if (node.InputAt(InputNames.MapScale).Length > 0)
            value = block.Add("Mul", "_affine", [value, PerMap(node, InputNames.MapScale, rank, graph, block)]).Output[0];
        if (node.InputAt(InputNames.MapBias).Length > 0)
            value = block.Add("Add", "_bias", [value, PerMap(node, InputNames.MapBias, rank, graph, block)]).Output[0];
        Activate(node, graph, value, block, output);
    }

    private static GroupNLFunction FunctionOf(NodeProto node)
    {
        string name = node.GetString(OperatorAttributes.Function);
        if (!GroupNLFunctions.All.Contains(name)) throw NestedOperator.Damaged(node, $"its function '{name}' is unknown");
        if (name != GroupNLFunctions.Monomial) return GroupNLFunction.Of(name);
        long power = node.GetInt(OperatorAttributes.Power);
        return power is >= GroupNLFunctions.LeastPower and <= GroupNLFunctions.GreatestPower
            ? GroupNLFunction.Monomial((int)power)
            : throw NestedOperator.Damaged(node, $"its power is {power}");
    }

    private static void Activate(NodeProto node, ExportedGraph graph, string value, Block block, string output)
    {
        string activation = node.GetString(OperatorAttributes.Activation);
        float min = node.GetFloat(OperatorAttributes.ActivationMin),
            max = node.GetFloat(OperatorAttributes.ActivationMax);
        if (activation == ActivationNames.None)
        {
            graph.Add("Identity", output, [value], output);
        }
        else if (activation == ActivationNames.Clip)
        {
            if (min == 0 && float.IsPositiveInfinity(max)) graph.Add("Relu", output, [value], output);
            else graph.Add(
                "Clip",
                output,
                [
                    value, float.IsNegativeInfinity(min) ? "" : block.Floats("_min", [], min),
                    float.IsPositiveInfinity(max) ? "" : block.Floats("_max", [], max)
                ],
                output);
        }
        else if (graph.Context.Opset >= HardSwishOpset)
        {
            graph.Add("HardSwish", output, [value], output);
        }
        else
        {
            NodeProto gate = block.Add("HardSigmoid", "_gate", [value]);
            gate.Attribute.AddRange([AttributeProto.Float("alpha", 1f / 6), AttributeProto.Float("beta", 0.5f)]);
            graph.Add("Mul", output, [value, gate.Output[0]], output);
        }
    }

    /// <summary>A parameter with one value per map, in a shape that broadcasts over channels-first maps.</summary>
    private static string PerMap(NodeProto node, string input, int rank, ExportedGraph graph, Block block)
    {
        string name = node.InputAt(input);
        if (graph.View.Constant(name) is not { DataType: TensorDataType.Float } tensor)
            throw NestedOperator.Damaged(node, $"its parameter '{name}' is no float constant");
        return block.Floats("_" + name, [tensor.ElementCount, .. Enumerable.Repeat(1L, rank - 2)], tensor.ToFloats());
    }

    /// <summary>Nodes and constants whose names begin with that of the result.</summary>
    private sealed class Block(ExportedGraph graph, string stem)
    {
        public NodeProto Create(string opType, string suffix, params string[] inputs)
        {
            string name = graph.Context.Names.Next(stem + suffix);
            var node = new NodeProto { OpType = opType, Name = name };
            node.Input.AddRange(inputs);
            node.Output.Add(name);
            return node;
        }

        public NodeProto Add(string opType, string suffix, params string[] inputs)
        {
            NodeProto node = Create(opType, suffix, inputs);
            graph.Add(node);
            return node;
        }

        public string Floats(string suffix, long[] dims, params float[] values) =>
            graph.Context.Add(stem + suffix, name => TensorProto.FromFloats(name, dims, values));

        public string Integers(string suffix, params long[] values) =>
            graph.Context.Add(stem + suffix, name => TensorProto.FromInt64s(name, [values.Length], values));
    }
}
