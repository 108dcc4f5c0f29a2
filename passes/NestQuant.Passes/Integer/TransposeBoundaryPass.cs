using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Integer.Layout;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps;

namespace NestQuant.Passes.Integer;

/// <summary>
/// Keeps transposes before operators that ONNX Runtime would break by moving the transposes past them.
/// <code>
/// c = Transpose (a); y = Resize &lt;mode = "cubic"&gt; (c, , , sizes)
/// c = Transpose (a); b = Einsum &lt;equation = "...->..."&gt; (c); y = Resize &lt;mode = "cubic"&gt; (b, , , sizes)
/// </code>
/// </summary>
/// <remarks>
/// ONNX Runtime moves a transpose past a Resize or Pad to cancel another transpose after it, and permutes the operator's per-axis values.
/// It ignores their axes input or attribute, also that of the Pad it makes of CenterCropPad, and on channels-last tensors it can
/// interpolate neither cubically nor along the channels. An Einsum that keeps the axes copies floats, and DepthToSpace with blocks of one
/// element copies bytes: no rule of ONNX Runtime removes them or moves a transpose past them. Most cases have been avoided before by <see
/// cref="Cleanup.CompleteAxesPass"/> and <see cref="ChannelsLastPass"/>. The pass logs no decisions.
/// </remarks>
public sealed class TransposeBoundaryPass : IGraphPass
{
    private const string SameAxes = "...->...";

    /// <summary>First operator set with Einsum.</summary>
    private const int FirstOpset = 12;

    /// <inheritdoc/>
    public string Name => "transpose-boundaries";

    /// <summary>Whether a node is a boundary: its result is its operand.</summary>
    internal static bool IsBoundary(NodeProto node)
    {
        if (node.Input.Count != 1 || node.Attribute.Count != 1) return false;
        return (node.Is("Einsum") && node.GetString("equation", "") == SameAxes)
            || (node.Is("DepthToSpace") && node.GetInt("blocksize", 0) == 1);
    }

    /// <inheritdoc/>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Model.OpsetVersion() < FirstOpset) return new PassResult(false);
        var names = new UniqueNames(context.Model);
        bool changed = false;
        foreach (GraphView view in GraphView.Of(context.Model.MainGraph()).WithInner())
        {
            var ranks = new ValueRanks(view);
            foreach (NodeProto node in view.Graph.Node.Where(node => IsBroken(node, view)).ToArray())
            {
                string value = node.Input[0];
                if (!IsAfterTranspose(value, view) || Boundary(value, view, ranks) is not { } boundary) continue;
                boundary.Name = names.Next(value + "_border");
                boundary.Input.Add(value);
                boundary.Output.Add(names.Next(value + "_in_place"));
                view.InsertBefore(node, boundary);
                view.SetInput(node, 0, boundary.Output[0]);
                changed = true;
            }
        }

        return new PassResult(changed);
    }

    private static bool IsBroken(NodeProto node, GraphView view)
    {
        if (node.Is("Resize") && node.GetAttribute("axes") is null) return !KeepsChannels(node, view);
        return node.Is("Resize") || node.Is("CenterCropPad") || (node.Is("Pad") && node.InputAt(3).Length > 0);
    }

    /// <summary>Whether a Resize can be channels last, as far as its constants tell: linear, and not along the channels.</summary>
    private static bool KeepsChannels(NodeProto node, GraphView view) => node.GetString("mode", "nearest") switch
    {
        "nearest" => true,
        "linear" =>
            !(view.Constant(node.InputAt(2)) is { DataType: TensorDataType.Float, ElementCount: > 1 } scales && scales.ToFloats()[1] != 1),
        _ => false,
    };

    /// <summary>Whether there is a transpose between a nested operator and a value, and no boundary after it.</summary>
    private static bool IsAfterTranspose(string value, GraphView view)
    {
        bool isTransposed = false;
        NodeProto? producer = view.Producer(value);
        while (producer is not null && producer.Domain != NestQuantOps.Domain && !IsBoundary(producer))
        {
            isTransposed |= producer.Is("Transpose");
            int data = LayoutRules.For(producer)?.DataInputs(producer).FirstOrDefault() ?? 0;
            producer = view.Producer(producer.InputAt(data));
        }

        return isTransposed && producer?.Domain == NestQuantOps.Domain;
    }

    /// <summary>A copy of a value, without names; null where no operator can copy it.</summary>
    private static NodeProto? Boundary(string value, GraphView view, ValueRanks ranks)
    {
        if (ElementBytes.Of(value, view) == sizeof(float)) return Node("Einsum", AttributeProto.String("equation", SameAxes));
        return ranks.Of(value) == 4 ? Node("DepthToSpace", AttributeProto.Int("blocksize", 1)) : null;
    }

    private static NodeProto Node(string opType, AttributeProto attribute)
    {
        var node = new NodeProto { OpType = opType };
        node.Attribute.Add(attribute);
        return node;
    }
}
