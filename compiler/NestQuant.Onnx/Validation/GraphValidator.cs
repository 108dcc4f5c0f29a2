using NestQuant.Onnx.Graph;

namespace NestQuant.Onnx.Validation;

/// <summary>
/// Checks the nodes of a graph and of its subgraphs: operator signatures, and that names are defined once and before they are read.
/// </summary>
/// <param name="functions">The model's local functions.</param>
/// <param name="version">Version of ONNX's operator set that the nodes are written in.</param>
internal sealed class GraphValidator(FunctionTable functions, long version)
{
    /// <summary>
    /// Deepest nesting of subgraphs; a file cannot have more, as messages are not read below <see cref="ModelCodec.MaxDepth"/>.
    /// </summary>
    private const int MaxDepth = ModelCodec.MaxDepth;

    /// <summary>Checks a main graph.</summary>
    /// <exception cref="ModelException">The graph breaks a rule of the summary.</exception>
    public void Verify(GraphProto graph) => Verify(graph, outer: null);

    /// <summary>Checks a function's nodes.</summary>
    /// <exception cref="ModelException">The nodes break a rule of the summary.</exception>
    public void Verify(FunctionProto function)
    {
        var scope = new ValueScope($"function '{function.Name}'", function.Node, outer: null);
        function.Input.ForEach(scope.AddInput);
        Verify(function.Node, scope);
        function.Output.ForEach(scope.RequireOutput);
    }

    private void Verify(GraphProto graph, ValueScope? outer)
    {
        var scope = new ValueScope($"graph '{graph.Name}'", graph.Node, outer);
        if (scope.Depth > MaxDepth) throw new ModelException($"graph '{graph.Name}' is nested in more than {MaxDepth} others");
        foreach (ValueInfoProto input in graph.Input) scope.AddInput(input.Name);
        foreach (TensorProto initializer in graph.Initializer) scope.AddInitializer(initializer.Name);
        foreach (SparseTensorProto initializer in graph.SparseInitializer)
        {
            TensorValidation.Verify(initializer);
            scope.AddInitializer(initializer.Values!.Name);
        }

        Verify(graph.Node, scope);
        foreach (ValueInfoProto output in graph.Output) scope.RequireOutput(output.Name);
    }

    private void Verify(List<NodeProto> nodes, ValueScope scope)
    {
        foreach (NodeProto node in nodes)
        {
            AttributeValidation.Verify(node);
            VerifySignature(node);
            foreach (string input in node.Input) scope.RequireInput(node, input);
            foreach (GraphProto subgraph in node.Subgraphs()) Verify(subgraph, scope);
            foreach (string output in node.Output) scope.AddOutput(node, output);
        }
    }

    private void VerifySignature(NodeProto node)
    {
        if (functions.Called(node) is not { } function)
            OperatorSignatures.Of(node, version)?.Verify(node);
        else if (node.Input.Count > function.Input.Count || node.Output.Count > function.Output.Count)
            throw new ModelException(
                $"'{node.DisplayName()}' has more inputs or outputs than the function '{function.Name}' that it calls");
    }
}
