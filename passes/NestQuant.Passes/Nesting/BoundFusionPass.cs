using System.Diagnostics.CodeAnalysis;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Nesting;

/// <summary>
/// Lets weight-only operators bound their results as the Relu or Clip does that alone reads them.
/// <code>
/// c = com.nestquant.NestedFloatConv (x, ...); y = Relu (c)
/// y = com.nestquant.NestedFloatConv &lt;activation_min = 0&gt; (x, ...)
/// </code>
/// </summary>
public sealed class BoundFusionPass : IGraphPass
{
    /// <inheritdoc/>
    public string Name => "bound-fusion";

    /// <inheritdoc/>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        bool changed = false;
        foreach (GraphView view in GraphView.Of(context.Model.MainGraph()).WithInner())
        {
            foreach (NodeProto node in view.Graph.Node.Where(IsCandidate).ToArray())
            {
                if (!TryFuse(node, view, out NodeProto? activation)) continue;
                context.Decisions.Rewritten(
                    Name, activation.DisplayName(), activation.OpType, note: $"as bounds of '{node.DisplayName()}'");
                changed = true;
            }
        }

        return new PassResult(changed);
    }

    private static bool IsCandidate(NodeProto node) =>
        (node.Is(OperatorSet.NestedFloatConv) || node.Is(OperatorSet.NestedFloatGemm))
            && node.GetAttribute(AttributeNames.ActivationMin) is null
            && node.GetAttribute(AttributeNames.ActivationMax) is null;

    private static bool TryFuse(NodeProto node, GraphView view, [NotNullWhen(true)] out NodeProto? activation)
    {
        string result = node.Output[0];
        activation = view.SoleConsumer(result);
        if (activation is null || activation.InputAt(0) != result || ClipBound.Of(activation, view) is not { } bounds) return false;
        if (!float.IsNegativeInfinity(bounds.Min)) node.SetAttribute(AttributeProto.Float(AttributeNames.ActivationMin, bounds.Min));
        if (!float.IsPositiveInfinity(bounds.Max)) node.SetAttribute(AttributeProto.Float(AttributeNames.ActivationMax, bounds.Max));
        view.Remove(activation);
        view.RenameProduced(result, activation.Output[0]);
        return true;
    }
}
