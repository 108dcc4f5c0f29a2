using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Integer;

/// <summary>
/// Turns a constant that is added after a nested product into its bias. Exporters write linear layers of more than two axes so.
/// <code>
/// p = com.nestquant.NestedGemm (x, ..., , bits); y = Add (p, bias)
/// y = com.nestquant.NestedGemm (x, ..., bias, bits)
/// </code>
/// </summary>
/// <remarks>The operator adds its bias as Add does, in float32 and after scaling: every result is the same bit for bit.</remarks>
public sealed class BiasFusionPass : IGraphPass
{
    /// <inheritdoc/>
    public string Name => "bias-fusion";

    /// <inheritdoc/>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        bool changed = false;
        foreach (GraphView view in GraphView.Of(context.Model.MainGraph()).WithInner())
        {
            foreach (NodeProto node in view.Graph.Node.Where(IsCandidate).ToArray())
            {
                if (view.Consumers(node.Output[0]) is not [var add]
                    || !add.Is("Add")
                    || add.Input.Count != 2
                    || view.IsOutput(node.Output[0]))
                    continue;
                string? reason = Fuse(node, add, view);
                if (reason is null)
                    context.Decisions.Rewritten(Name, add.DisplayName(), add.OpType, note: $"as the bias of '{node.DisplayName()}'");
                else context.Decisions.Kept(Name, add.DisplayName(), add.OpType, reason);
                changed |= reason is null;
            }
        }

        return new PassResult(changed);
    }

    private static bool IsCandidate(NodeProto node) =>
        node.Is(OperatorSet.NestedGemm)
            && node.Output.Count == 1
            && node.Input.Count > node.PositionOf(InputNames.Bias)
            && node.InputAt(InputNames.Bias).Length == 0;

    private static string? Fuse(NodeProto node, NodeProto add, GraphView view)
    {
        string product = node.Output[0], bias = add.Input[add.Input[0] == product ? 1 : 0];
        if (view.Constant(bias) is not { DataType: TensorDataType.Float } tensor) return "its other operand is not a float32 constant";
        if (tensor.Dims.Count != 1 || tensor.ElementCount != view.Constant(node.InputAt(InputNames.WeightScale))?.ElementCount)
            return "its other operand is not one value per output channel";
        view.SetInput(node, node.PositionOf(InputNames.Bias), bias);
        view.Remove(add);
        view.RenameProduced(product, add.Output[0]);
        return null;
    }
}
