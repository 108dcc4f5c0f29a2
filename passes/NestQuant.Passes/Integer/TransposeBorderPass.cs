using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Integer.Layout;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps;

namespace NestQuant.Passes.Integer;

/// <summary>
/// Keeps transposes in front of operators that ONNX Runtime would move them past and break.
/// <code>
/// c = Transpose (a); y = Resize &lt;mode = "cubic"&gt; (c, , , sizes)
/// c = Transpose (a); b = Einsum &lt;equation = "...->..."&gt; (c); y = Resize &lt;mode = "cubic"&gt; (b, , , sizes)
/// </code>
/// </summary>
/// <remarks>
/// ONNX Runtime moves a transpose behind a Resize or Pad where it meets another one there, and permutes what they have one value per axis
/// of. It does not know the axes that they may name, those of the Pad that it makes of CenterCropPad included, and of channels-last tensors
/// it has no cubic interpolation and none of the channels. Einsum without a change of axes is a copy, and DepthToSpace with blocks of one
/// element is one of bytes: no rule of ONNX Runtime takes them away or moves a transpose past them. Where they can,
/// <see cref="Cleanup.CompleteAxesPass"/> and <see cref="ChannelsLastPass"/> have left no need for it. The pass makes no decisions.
/// </remarks>
public sealed class TransposeBorderPass : IGraphPass
{
    private const string SameAxes = "...->...";

    /// <summary>First operator set with Einsum.</summary>
    private const int FirstOpset = 12;

    /// <inheritdoc/>
    public string Name => "transpose-borders";

    /// <summary>Whether a node is a border, whose result is its operand.</summary>
    internal static bool IsBorder(NodeProto node)
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
                if (!IsBehindTranspose(value, view) || Border(value, view, ranks) is not { } border) continue;
                border.Name = names.Next(value + "_border");
                border.Input.Add(value);
                border.Output.Add(names.Next(value + "_in_place"));
                view.InsertBefore(node, border);
                view.SetInput(node, 0, border.Output[0]);
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

    /// <summary>Whether a transpose is somewhere between a nested operator and a value, and no border behind it.</summary>
    private static bool IsBehindTranspose(string value, GraphView view)
    {
        bool isTransposed = false;
        NodeProto? producer = view.Producer(value);
        while (producer is not null && producer.Domain != NestQuantOps.Domain && !IsBorder(producer))
        {
            isTransposed |= producer.Is("Transpose");
            int data = LayoutRules.For(producer)?.DataInputs(producer).FirstOrDefault() ?? 0;
            producer = view.Producer(producer.InputAt(data));
        }

        return isTransposed && producer?.Domain == NestQuantOps.Domain;
    }

    /// <summary>A copy of a value, without names; null where there is none for it.</summary>
    private static NodeProto? Border(string value, GraphView view, ValueRanks ranks)
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
