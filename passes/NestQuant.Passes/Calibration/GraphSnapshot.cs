using NestQuant.Onnx;

namespace NestQuant.Passes.Calibration;

/// <summary>
/// The nodes and initializers of a graph before edits that may have to be undone. Edits must replace them, not change them.
/// </summary>
internal sealed class GraphSnapshot(GraphProto graph)
{
    private readonly NodeProto[] _nodes = [.. graph.Node];
    private readonly TensorProto[] _initializers = [.. graph.Initializer];

    /// <summary>Restores the graph; views of it are stale afterwards.</summary>
    public void Restore()
    {
        graph.Node.Clear();
        graph.Node.AddRange(_nodes);
        graph.Initializer.Clear();
        graph.Initializer.AddRange(_initializers);
    }

    /// <summary>
    /// A model of the saved graph with the given values as outputs, without the nodes and initializers that these do not need.
    /// </summary>
    /// <param name="model">The model that the graph is of.</param>
    /// <param name="values">Values of the graph; unique.</param>
    public ModelProto Yielding(ModelProto model, params IReadOnlyCollection<string> values)
    {
        var cut = new GraphProto { Name = graph.Name };
        cut.Node.AddRange(_nodes);
        cut.Initializer.AddRange(_initializers);
        cut.Input.AddRange(graph.Input);
        cut.SparseInitializer.AddRange(graph.SparseInitializer);
        cut.Output.AddRange(values.Select(static value => new ValueInfoProto { Name = value }));
        NestQuant.Onnx.Graph.DeadCode.Remove(cut);
        var result = new ModelProto { IrVersion = model.IrVersion, Graph = cut };
        result.OpsetImport.AddRange(model.OpsetImport);
        result.Functions.AddRange(model.Functions);
        return result;
    }
}
