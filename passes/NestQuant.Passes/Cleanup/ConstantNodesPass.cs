using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Cleanup;

/// <summary>
/// Converts Constant nodes to initializers, which all other passes expect.
/// <code>
/// c = Constant &lt;value&gt; (); y = Op (x, c)
/// y = Op (x, c)                              with initializer c
/// </code>
/// </summary>
/// <remarks>Constants of local functions stay: a function has no initializers. So do sparse and string constants.</remarks>
public sealed class ConstantNodesPass : IGraphPass
{
    /// <inheritdoc/>
    public string Name => "constant-nodes";

    /// <inheritdoc/>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        bool changed = false;
        foreach (GraphView view in GraphView.Of(context.Model.MainGraph()).WithInner())
        {
            var converted = new HashSet<NodeProto>(ReferenceEqualityComparer.Instance);
            foreach (NodeProto node in view.Graph.Node.Where(static node => node.Is("Constant")))
            {
                if (view.IsOutput(node.Output[0]))
                {
                    context.Decisions.Kept(Name, node.DisplayName(), node.OpType, "its value is an output of the graph");
                    continue;
                }

                if (ToTensor(node) is not { } tensor)
                {
                    context.Decisions.Kept(Name, node.DisplayName(), node.OpType, "only dense numeric constants become initializers");
                    continue;
                }

                view.AddInitializer(tensor);
                converted.Add(node);
                context.Decisions.Rewritten(Name, node.DisplayName(), node.OpType);
            }

            view.Remove(converted);
            changed |= converted.Count > 0;
        }

        return new PassResult(changed);
    }

    private static TensorProto? ToTensor(NodeProto node)
    {
        string name = node.Output[0];
        AttributeProto? value = node.Attribute.Count == 1 ? node.Attribute[0] : null;
        switch (value)
        {
            case { Name: "value", T: { } tensor } when tensor.DataType != TensorDataType.String:
                tensor.Name = name;
                return tensor;
            case { Name: "value_float", F: { } number }:
                return TensorProto.FromFloats(name, [], [number]);
            case { Name: "value_floats" }:
                return TensorProto.FromFloats(name, [value.Floats.Count], value.Floats.ToArray());
            case { Name: "value_int", I: { } integer }:
                return TensorProto.FromInt64s(name, [], [integer]);
            case { Name: "value_ints" }:
                return TensorProto.FromInt64s(name, [value.Ints.Count], value.Ints.ToArray());
            default:
                return null;
        }
    }
}
