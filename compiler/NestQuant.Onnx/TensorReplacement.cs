namespace NestQuant.Onnx;

/// <summary>
/// A variant of a model in which some tensors are replaced. Only the messages that contain tensors are copied, and those shallowly: the
/// source model stays as it is and no content is duplicated.
/// </summary>
/// <param name="replace">Returns the tensor that replaces a tensor of the source model; often the same one.</param>
internal sealed class TensorReplacement(Func<TensorProto, TensorProto> replace)
{
    public ModelProto Of(ModelProto source)
    {
        var model = source.ShallowCopy();
        model.Graph = source.Graph is { } graph ? Of(graph) : null;
        model.Functions = source.Functions.ConvertAll(Of);
        model.TrainingInfo = source.TrainingInfo.ConvertAll(Of);
        return model;
    }

    private GraphProto Of(GraphProto source)
    {
        var graph = source.ShallowCopy();
        graph.Node = source.Node.ConvertAll(Of);
        graph.Initializer = source.Initializer.ConvertAll(t => replace(t));
        graph.SparseInitializer = source.SparseInitializer.ConvertAll(Of);
        return graph;
    }

    private FunctionProto Of(FunctionProto source)
    {
        var function = source.ShallowCopy();
        function.Node = source.Node.ConvertAll(Of);
        function.AttributeProto = source.AttributeProto.ConvertAll(Of);
        return function;
    }

    private TrainingInfoProto Of(TrainingInfoProto source)
    {
        var training = source.ShallowCopy();
        training.Initialization = source.Initialization is { } initialization ? Of(initialization) : null;
        training.Algorithm = source.Algorithm is { } algorithm ? Of(algorithm) : null;
        return training;
    }

    private NodeProto Of(NodeProto source)
    {
        if (!source.Attribute.Exists(HoldsTensors))
            return source;
        var node = source.ShallowCopy();
        node.Attribute = source.Attribute.ConvertAll(Of);
        return node;
    }

    private AttributeProto Of(AttributeProto source)
    {
        if (!HoldsTensors(source))
            return source;
        var attribute = source.ShallowCopy();
        attribute.T = source.T is { } tensor ? replace(tensor) : null;
        attribute.G = source.G is { } graph ? Of(graph) : null;
        attribute.SparseTensor = source.SparseTensor is { } sparse ? Of(sparse) : null;
        attribute.Tensors = source.Tensors.ConvertAll(t => replace(t));
        attribute.Graphs = source.Graphs.ConvertAll(Of);
        attribute.SparseTensors = source.SparseTensors.ConvertAll(Of);
        return attribute;
    }

    private SparseTensorProto Of(SparseTensorProto source)
    {
        var sparse = source.ShallowCopy();
        sparse.Values = source.Values is { } values ? replace(values) : null;
        sparse.Indices = source.Indices is { } indices ? replace(indices) : null;
        return sparse;
    }

    private static bool HoldsTensors(AttributeProto attribute) =>
        attribute.T is not null || attribute.G is not null || attribute.SparseTensor is not null
        || attribute.Tensors.Count > 0 || attribute.Graphs.Count > 0 || attribute.SparseTensors.Count > 0;
}
