using NestQuant.Onnx;

namespace NestQuant.Passes.OperatorSets;

/// <summary>
/// A local function as a graph, so that it is rewritten as one. A function has no initializers: new ones become Constant nodes.
/// </summary>
internal sealed class FunctionGraph
{
    private readonly FunctionProto _function;

    /// <summary>Makes the graph, with the function's own nodes.</summary>
    public FunctionGraph(FunctionProto function)
    {
        _function = function;
        Graph = new GraphProto { Name = function.Name };
        Graph.Input.AddRange(function.Input.Select(static name => new ValueInfoProto { Name = name }));
        Graph.Output.AddRange(function.Output.Select(static name => new ValueInfoProto { Name = name }));
        Graph.ValueInfo.AddRange(function.ValueInfo);
        Graph.Node.AddRange(function.Node);
    }

    /// <summary>The graph.</summary>
    public GraphProto Graph { get; }

    /// <summary>Makes the function what the graph is now.</summary>
    public void WriteBack()
    {
        _function.Node.Clear();
        _function.Node.AddRange(Graph.Initializer.Select(Constant));
        _function.Node.AddRange(Graph.Node);
    }

    private static NodeProto Constant(TensorProto tensor)
    {
        var node = new NodeProto { OpType = "Constant", Name = tensor.Name };
        node.Output.Add(tensor.Name);
        node.Attribute.Add(AttributeProto.Tensor("value", tensor));
        return node;
    }
}
