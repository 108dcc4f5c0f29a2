using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using NestQuant.Compiler.Graph;
using NestQuant.Compiler.Onnx;

namespace NestQuant.Passes.Folding;

/// <summary>Evaluates nodes over constants in a session of ONNX Runtime without inputs.</summary>
internal sealed class ConstantEvaluator(ModelProto model)
{
    /// <summary>Runs <paramref name="nodes"/>, which read nothing but constants and each other, and returns the values named <paramref name="results"/>.</summary>
    /// <exception cref="ModelException">ONNX Runtime refuses the nodes or fails to run them.</exception>
    public IReadOnlyList<TensorProto> Evaluate(IReadOnlyList<NodeProto> nodes, IReadOnlyList<string> results, GraphView view)
    {
        if (results.Count == 0) return [];
        try
        {
            using var options = new SessionOptions
            {
                GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL,
                IntraOpNumThreads = 1,
                LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
            };
            using var session = new InferenceSession(ModelFile.ToBytes(Subgraph(nodes, results, view)), options);
            using var run = new RunOptions();
            using IDisposableReadOnlyCollection<OrtValue> values = session.Run(run, [], [], results);
            return [.. values.Select((value, i) => ToTensor(value, results[i]))];
        }
        catch (OnnxRuntimeException failure)
        {
            throw new ModelException(failure.Message.ReplaceLineEndings(" "), failure);
        }
    }

    private ModelProto Subgraph(IReadOnlyList<NodeProto> nodes, IReadOnlyList<string> results, GraphView view)
    {
        var graph = new GraphProto { Name = "constants" };
        graph.Node.AddRange(nodes);
        var produced = nodes.SelectMany(static node => node.Output).ToHashSet(StringComparer.Ordinal);
        foreach (string name in nodes.SelectMany(static node => node.Input).Where(static name => name.Length > 0).Distinct(StringComparer.Ordinal))
            if (!produced.Contains(name) && view.Constant(name) is { } tensor) graph.Initializer.Add(Inline(tensor));
        graph.Output.AddRange(results.Select(static result => new ValueInfoProto { Name = result }));
        var subgraph = new ModelProto { IrVersion = model.IrVersion, Graph = graph };
        subgraph.OpsetImport.AddRange(model.OpsetImport);
        return subgraph;
    }

    private static TensorProto Inline(TensorProto tensor)
    {
        var inline = new TensorProto { Name = tensor.Name, DataType = tensor.DataType, RawData = tensor.GetBytes() };
        inline.Dims.AddRange(tensor.Dims);
        return inline;
    }

    private static TensorProto ToTensor(OrtValue value, string name)
    {
        OrtTensorTypeAndShapeInfo info = value.GetTensorTypeAndShape();
        if (!value.IsTensor || info.ElementDataType == TensorElementType.String)
            throw new ModelException($"the constant '{name}' is not a numeric tensor");
        return TensorProto.FromBytes(name, (TensorDataType)(int)info.ElementDataType, info.Shape, value.GetTensorDataAsSpan<byte>().ToArray());
    }
}
