using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Nesting;

namespace NestQuant.Passes.Cleanup;

/// <summary>
/// Removes Identity, and Dropout in inference mode.
/// <code>
/// y = Identity (x); z = Op (y)
/// z = Op (x)
/// </code>
/// </summary>
/// <remarks>
/// Names of graph inputs and outputs never change, so a node that connects an input or initializer directly to an output stays.
/// </remarks>
public sealed class IdentityRemovalPass : IGraphPass
{
    /// <summary>From this version on, Dropout has its mode as an input; before, it is always in inference mode.</summary>
    private const int DropoutWithTrainingMode = 12;

    /// <summary>Before this version, Dropout trains unless its <c>is_test</c> attribute says otherwise.</summary>
    private const int DropoutWithoutIsTest = 7;

    /// <inheritdoc/>
    public string Name => "identity-removal";

    /// <inheritdoc/>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        bool changed = false;
        foreach (GraphView view in GraphView.Of(context.Model.MainGraph()).WithInner())
        {
            var removed = new HashSet<NodeProto>(ReferenceEqualityComparer.Instance);
            foreach (NodeProto node in view.Graph.Node.Where(static node => node.Is("Identity") || node.Is("Dropout")).ToArray())
            {
                string? reason = WhyNotIdentity(node, view, context.Model.OpsetVersion()) ?? Bypass(node, view);
                if (reason is null)
                {
                    removed.Add(node);
                    context.Decisions.Rewritten(Name, node.DisplayName(), node.OpType);
                }
                else
                {
                    context.Decisions.Kept(Name, node.DisplayName(), node.OpType, reason);
                }
            }

            view.Remove(removed);
            changed |= removed.Count > 0;
        }

        return new PassResult(changed);
    }

    private static string? WhyNotIdentity(NodeProto node, GraphView view, long opset)
    {
        if (node.Is("Identity")) return null;
        if (node.Output.Count > 1
            && node.Output[1].Length > 0
            && (view.Consumers(node.Output[1]).Count > 0 || view.IsOutput(node.Output[1])))
            return "its mask is used";
        if (opset < DropoutWithoutIsTest && node.GetInt("is_test", 0) == 0) return "it is in training mode (is_test is 0)";
        if (opset < DropoutWithTrainingMode || node.InputAt(2).Length == 0) return null;
        return view.Constant(node.InputAt(2)) is { DataType: TensorDataType.Bool, ElementCount: 1 } mode && mode.GetBytes().Span[0] == 0
            ? null
            : "its training_mode input is not constantly false";
    }

    /// <summary>Removes the node from the data flow. Returns null, or the reason why that is impossible.</summary>
    private static string? Bypass(NodeProto node, GraphView view)
    {
        string input = node.Input[0], output = node.Output[0];
        if (!view.IsOutput(output))
        {
            view.ReplaceUses(output, input);
            return null;
        }

        if (view.Producer(input) is null) return "it connects a graph input or a constant to a graph output";
        if (view.IsOutput(input)) return "it connects two graph outputs";
        if (ConvolutionOutputs.IsKeptApart(input, view))
            return "it keeps an output apart from the convolution, which ONNX Runtime would fuse with an Add";
        view.ReplaceUses(output, input);
        view.Remove(node);
        view.RenameProduced(input, output);
        return null;
    }
}
