using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Nesting;

/// <summary>
/// Lets weight-only convolutions add what a residual connection adds to their result, as far as both are known to have the same shape.
/// <code>
/// c = com.nestquant.NestedFloatConv (x, ...); y = Add (c, r)
/// y = com.nestquant.NestedFloatConv (x, ..., r)
/// </code>
/// </summary>
public sealed class AddendFusionPass : IGraphPass
{
    private static readonly int AddendPosition = OperatorSet.NestedFloatConv[InputNames.Addend].Position;

    /// <inheritdoc/>
    public string Name => "addend-fusion";

    /// <inheritdoc/>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        bool changed = false;
        foreach (GraphView view in GraphView.Of(context.Model.MainGraph()).WithInner())
        {
            var shapes = new SymbolicShapes(view);
            foreach (NodeProto addition in view.Graph.Node.Where(static node => node.Is("Add")).ToArray())
            {
                if (Fused(addition, view, shapes) is not { } fused) continue;
                context.Decisions.Rewritten(
                    Name, addition.DisplayName(), addition.OpType, note: $"as the addend of '{fused.DisplayName()}'");
                changed = true;
            }
        }

        return new PassResult(changed);
    }

    /// <summary>The convolution that has taken an addition; null where none can.</summary>
    private static NodeProto? Fused(NodeProto addition, GraphView view, SymbolicShapes shapes)
    {
        string left = addition.InputAt(0), right = addition.InputAt(1);
        if (left == right || !shapes.AreEqual(left, right)) return null;
        // The later of two convolutions: the other's result is then already there.
        foreach ((string result, string addend) in ((string, string)[])[(right, left), (left, right)])
        {
            if (view.SoleConsumer(result) is null || view.Producer(result) is not { } node || !IsCandidate(node)) continue;
            // Where the addition was, what it adds has been computed.
            view.Remove(node);
            while (node.Input.Count < AddendPosition) node.Input.Add("");
            node.Input.Add(addend);
            node.Output[0] = addition.Output[0];
            view.Replace(addition, node);
            view.Graph.ValueInfo.RemoveAll(info => info.Name == result);
            return node;
        }

        return null;
    }

    private static bool IsCandidate(NodeProto node) =>
        node.Is(OperatorSet.NestedFloatConv)
            && node.InputAt(InputNames.Addend).Length == 0
            && node.GetAttribute(AttributeNames.ActivationMin) is null
            && node.GetAttribute(AttributeNames.ActivationMax) is null;
}
