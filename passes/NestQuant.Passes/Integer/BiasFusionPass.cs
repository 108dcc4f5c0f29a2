using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Nesting;
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
/// <remarks>
/// NestedGemm adds its bias as Add does, in float32 and after scaling: every result is the same bit for bit, except that of a level with a
/// bias of its own, to which the constant is added here. NestedFloatGemm rounds once instead of twice.
/// </remarks>
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
                if (AddedBias.Of(node, view.Constant(node.InputAt(InputNames.WeightScale))?.ElementCount, view) is not { } added) continue;
                NodeProto add = added.Add;
                string? reason = added.Reason ?? Fuse(node, added, view);
                if (reason is null)
                    context.Decisions.Rewritten(Name, add.DisplayName(), add.OpType, note: $"as the bias of '{node.DisplayName()}'");
                else context.Decisions.Kept(Name, add.DisplayName(), add.OpType, reason);
                changed |= reason is null;
            }
        }

        return new PassResult(changed);
    }

    private static bool IsCandidate(NodeProto node) =>
        (node.Is(OperatorSet.NestedGemm) || node.Is(OperatorSet.NestedFloatGemm))
            && node.Output.Count == 1
            && node.Input.Count > node.PositionOf(InputNames.Bias)
            && node.InputAt(InputNames.Bias).Length == 0;

    private static string? Fuse(NodeProto node, AddedBias added, GraphView view)
    {
        if (node.InputAt(InputNames.PartBias) is { Length: > 0 } part)
        {
            if (view.Initializer(part) is not { DataType: TensorDataType.Float } rows || view.Consumers(part).Count != 1)
                return $"the part bias '{part}' of '{node.DisplayName()}' is not a constant of its own";
            view.ReplaceInitializer(
                TensorProto.FromFloats(part, [.. rows.Dims], AddedBias.PlusEveryRow(rows.ToFloats(), added.Bias!.ToFloats())));
        }

        string product = node.Output[0];
        view.SetInput(node, node.PositionOf(InputNames.Bias), added.Bias!.Name);
        view.Remove(added.Add);
        view.RenameProduced(product, added.Add.Output[0]);
        return null;
    }
}
