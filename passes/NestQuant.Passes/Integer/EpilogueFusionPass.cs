using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Integer.Values;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Integer;

/// <summary>
/// Fuses QuantizeLinear, and a Relu or Clip before it, into the nested operator.
/// <code>
/// a = com.nestquant.NestedConv (...); c = Transpose (a); r = Relu (c); y = QuantizeLinear (r, scale, zero_point)
/// a = com.nestquant.NestedQLinearConv (..., scale, zero_point, bits); y = Transpose (a)
/// </code>
/// </summary>
/// <remarks>
/// Only where nothing else reads the float result. Relu and Clip become exact bounds on the integers: see
/// <see cref="QuantizedClamp"/>.
/// </remarks>
public sealed class EpilogueFusionPass : IGraphPass
{
    /// <inheritdoc/>
    public string Name => "epilogue-fusion";

    /// <inheritdoc/>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var names = new UniqueNames(context.Model);
        bool changed = false;
        foreach (GraphView view in GraphView.Of(context.Model.MainGraph()).WithInner())
        {
            var graph = new QuantizedGraph(context.Model, view, names);
            changed |= graph.ShareQuantizers();
            foreach (NodeProto node in view.Graph.Node.Where(IsCandidate).ToArray())
            {
                string? reason = Fuse(node, graph, out NodeProto? activation);
                if (reason is not null) context.Decisions.Kept(Name, node.DisplayName(), node.OpType, reason);
                else context.Decisions.Rewritten(
                    Name,
                    node.DisplayName(),
                    node.OpType,
                    note: activation is null ? null : $"with {activation.OpType} '{activation.DisplayName()}' in its epilogue");
                changed |= reason is null;
            }
        }

        // Removes the type information of the values between an operator and its QuantizeLinear, which no longer exist.
        if (changed) DeadCode.Remove(context.Model.MainGraph());
        return new PassResult(changed);
    }

    private static bool IsCandidate(NodeProto node) =>
        node is { Output.Count: 1, Input.Count: > 0 }
            && node.Schema() is { IsNested: true, HasQuantizedInput: true, HasQuantizedOutput: false };

    private static string? Fuse(NodeProto node, QuantizedGraph graph, out NodeProto? activation)
    {
        activation = null;
        if (node.Is(OperatorSet.NestedGroupNLConv)) return "GroupNL's maps are normalised in float";
        GraphView view = graph.View;
        var following = new List<NodeProto>();
        NodeProto last = node;
        while (true)
        {
            string result = last.Output[0];
            NodeProto[] consumers = [.. view.Consumers(result).Distinct()];
            if (consumers.Length == 0 || view.IsOutput(result)) return $"its result '{result}' is an output of the graph";
            if (graph.WhyNeededInFloat(result, consumers[0]) is { } reason) return reason;
            NodeProto consumer = consumers[0];
            following.Add(consumer);
            if (graph.Quantizer(consumer) is { } parameters) return Emit(node, [.. following], parameters, graph);
            bool isLayout = last == node && consumer.Is("Transpose");
            if (!isLayout && (activation is not null || !QuantizedClamp.IsCandidate(consumer)))
                return $"its result is read by {consumer.OpType} '{consumer.DisplayName()}', in float";
            if (!isLayout) activation = consumer;
            last = consumer;
        }
    }

    /// <summary>Replaces the operator and the nodes after it, of which the last is the QuantizeLinear.</summary>
    private static string? Emit(NodeProto node, NodeProto[] following, QuantizationParameters result, QuantizedGraph graph)
    {
        NodeProto? activation = Array.Find(following, QuantizedClamp.IsCandidate),
            transpose = Array.Find(following, static consumer => consumer.Is("Transpose"));
        QuantizedClamp clamp = QuantizedClamp.None;
        if (activation is not null)
        {
            if (QuantizedClamp.Of(activation, result, graph.View) is not { } bounds)
                return $"the bounds of '{activation.DisplayName()}' are not constant";
            clamp = bounds;
        }

        (string scale, string zeroPoint) = graph.Scalars(result);
        string output = following[^1].Output[0];
        OperatorSchema schema = node.Is(OperatorSet.NestedConv) ? OperatorSet.NestedQLinearConv : OperatorSet.NestedQLinearGemm;
        NodeProto fused = schema.NewNode(
            node.Name,
            [.. node.NamedInputs(), (InputNames.YScale, scale), (InputNames.YZeroPoint, zeroPoint)],
            transpose is null ? output : graph.Names.Next(output + "_channels_last"));
        fused.Attribute.AddRange(node.Attribute);
        if (clamp.Min > byte.MinValue) fused.Attribute.Add(AttributeProto.Int(AttributeNames.ClampMin, clamp.Min));
        if (clamp.Max < byte.MaxValue) fused.Attribute.Add(AttributeProto.Int(AttributeNames.ClampMax, clamp.Max));
        graph.View.Remove(following.ToHashSet<NodeProto>(ReferenceEqualityComparer.Instance));
        if (transpose is null)
        {
            graph.View.Replace(node, fused);
            return null;
        }

        var toChannelsFirst = new NodeProto { OpType = "Transpose", Name = transpose.Name };
        toChannelsFirst.Input.Add(fused.Output[0]);
        toChannelsFirst.Output.Add(output);
        toChannelsFirst.Attribute.AddRange(transpose.Attribute);
        graph.View.Replace(node, fused, toChannelsFirst);
        return null;
    }
}
