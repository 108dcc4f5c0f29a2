namespace NestQuant.Onnx;

/// <summary>Visits every tensor of a model: of the main graph, of subgraphs, of local functions and of training graphs.</summary>
internal static class TensorWalk
{
    /// <summary>The tensors in the order in which they are written, parts of sparse tensors included.</summary>
    public static IEnumerable<TensorProto> Tensors(ModelProto model)
    {
        var graphs = model.TrainingInfo.SelectMany(t => new[] { t.Initialization, t.Algorithm }).Prepend(model.Graph);
        return graphs.Where(g => g is not null).SelectMany(g => Tensors(g!))
            .Concat(model.Functions.SelectMany(f => Tensors(f.Node).Concat(f.AttributeProto.SelectMany(Tensors))));
    }

    /// <summary>The files that external tensors read from.</summary>
    public static IEnumerable<SourceFile> DataFiles(ModelProto model) =>
        Tensors(model).Select(t => t.ExternalContent?.File).OfType<SourceFile>().Distinct();

    /// <summary>The tensors of one graph and of the graphs inside it.</summary>
    public static IEnumerable<TensorProto> Tensors(GraphProto graph) =>
        Tensors(graph.Node).Concat(graph.Initializer).Concat(graph.SparseInitializer.SelectMany(Tensors));

    private static IEnumerable<TensorProto> Tensors(IEnumerable<NodeProto> nodes) =>
        nodes.SelectMany(n => n.Attribute).SelectMany(Tensors);

    private static IEnumerable<TensorProto> Tensors(AttributeProto attribute)
    {
        if (attribute.T is { } tensor)
            yield return tensor;
        foreach (var item in attribute.Tensors)
            yield return item;
        var graphs = attribute.G is { } body ? attribute.Graphs.Prepend(body) : attribute.Graphs;
        foreach (var item in graphs.SelectMany(Tensors))
            yield return item;
        var sparse = attribute.SparseTensor is { } one ? attribute.SparseTensors.Prepend(one) : attribute.SparseTensors;
        foreach (var item in sparse.SelectMany(Tensors))
            yield return item;
    }

    private static IEnumerable<TensorProto> Tensors(SparseTensorProto sparse)
    {
        if (sparse.Values is { } values)
            yield return values;
        if (sparse.Indices is { } indices)
            yield return indices;
    }
}
