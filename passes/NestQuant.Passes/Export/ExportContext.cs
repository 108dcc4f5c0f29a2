using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Export;

/// <summary>What all graphs of an exported model share.</summary>
internal sealed class ExportContext
{
    /// <summary>Prepares an export.</summary>
    /// <param name="model">The compiled model, rewritten in place.</param>
    /// <param name="precision">The precision that weights are taken at.</param>
    public ExportContext(ModelProto model, int precision)
    {
        Model = model;
        Precision = precision;
        Opset = model.OpsetVersion();
        Names = FreeNames(model);
        Weights = new ExportedWeights(this);
    }

    /// <summary>The model.</summary>
    public ModelProto Model { get; }

    /// <summary>The precision that weights are taken at, each at the level that it has then.</summary>
    public int Precision { get; }

    /// <summary>Version of the default operator set.</summary>
    public long Opset { get; }

    /// <summary>Names for what is written.</summary>
    public UniqueNames Names { get; }

    /// <summary>The weights.</summary>
    public ExportedWeights Weights { get; }

    /// <summary>What was done with every operator.</summary>
    public DecisionLog Decisions { get; } = new();

    /// <summary>Adds an initializer to the main graph, whose values all graphs can read.</summary>
    /// <returns>Its name.</returns>
    public string Add(string wanted, Func<string, TensorProto> create) => Add(wanted, create, Model.MainGraph());

    /// <summary>Adds an initializer to a graph.</summary>
    /// <returns>Its name.</returns>
    public string Add(string wanted, Func<string, TensorProto> create, GraphProto graph)
    {
        TensorProto tensor = create(Names.Next(wanted));
        graph.Initializer.Add(tensor);
        return tensor.Name;
    }

    /// <summary>
    /// Every node is written anew, so that only values that no node makes have their names; those of nodes are their graph's affair.
    /// </summary>
    private static UniqueNames FreeNames(ModelProto model)
    {
        var taken = new GraphProto();
        foreach (GraphView view in GraphView.Of(model.MainGraph()).WithInner())
        {
            taken.Input.AddRange(view.Graph.Input);
            taken.Output.AddRange(view.Graph.Output);
            taken.Initializer.AddRange(view.Graph.Initializer);
            taken.SparseInitializer.AddRange(view.Graph.SparseInitializer);
        }

        return new UniqueNames(new ModelProto { Graph = taken });
    }
}
