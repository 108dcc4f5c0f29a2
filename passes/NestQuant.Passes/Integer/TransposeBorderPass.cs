using NestQuant.Compiler.Graph;
using NestQuant.Compiler.Onnx;
using NestQuant.Compiler.Pipeline;
using NestQuant.Passes.Integer.Layout;

namespace NestQuant.Passes.Integer;

/// <summary>
/// Keeps transposes in front of operators that ONNX Runtime would move them past and break.
/// <code>
/// c = Transpose (a); y = Resize &lt;mode = "cubic"&gt; (c, , , sizes)
/// c = Transpose (a); b = Einsum &lt;equation = "...->..."&gt; (c); y = Resize &lt;mode = "cubic"&gt; (b, , , sizes)
/// </code>
/// </summary>
/// <remarks>
/// ONNX Runtime moves a transpose behind a Resize or Pad where it meets another one there, and permutes what they have one value per axis of. It does not know the axes that they may
/// name, those of the Pad that it makes of CenterCropPad included, and of channels-last tensors it has no cubic interpolation and none of the channels. Einsum without a change of axes is a copy, which no rule of ONNX Runtime
/// takes away or moves a transpose past. Where they can, <see cref="Cleanup.CompleteAxesPass"/> and <see cref="ChannelsLastPass"/> have left no need for it. The pass makes no decisions.
/// </remarks>
public sealed class TransposeBorderPass : IGraphPass
{
    private const string SameAxes = "...->...";

    /// <summary>First operator set with Einsum.</summary>
    private const int FirstOpset = 12;

    /// <inheritdoc/>
    public string Name => "transpose-borders";

    /// <summary>Whether a node is a border, whose result is its operand.</summary>
    public static bool IsBorder(NodeProto node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.Is("Einsum") && node.Input.Count == 1 && node.GetString("equation", "") == SameAxes;
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
            if (!view.Graph.Node.Exists(static node => node.Is("Transpose"))) continue;
            foreach (NodeProto node in view.Graph.Node.Where(node => IsBroken(node, view)).ToArray())
            {
                string value = node.Input[0];
                if (view.Producer(value) is not { } producer || IsBorder(producer) || ElementBytes.Of(value, view) != sizeof(float)) continue;
                var border = new NodeProto { OpType = "Einsum", Name = names.Next(value + "_border") };
                border.Input.Add(value);
                border.Output.Add(names.Next(value + "_in_place"));
                border.Attribute.Add(AttributeProto.String("equation", SameAxes));
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
        "linear" => view.Constant(node.InputAt(2)) is not { DataType: TensorDataType.Float, ElementCount: > 1 } scales || scales.ToFloats()[1] == 1,
        _ => false,
    };
}
