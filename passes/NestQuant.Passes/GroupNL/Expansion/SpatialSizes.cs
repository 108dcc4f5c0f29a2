using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.RuntimeOps;

namespace NestQuant.Passes.GroupNL.Expansion;

/// <summary>Sizes of maps, as ONNX Runtime infers them.</summary>
internal static class SpatialSizes
{
    /// <summary>Larger initializers are weights; no shape depends on their values.</summary>
    private const int LargestShapeConstant = 1024;

    /// <summary>
    /// Height times width of every value [N, C, H, W]; values for which they are not known are left out.
    /// </summary>
    public static IReadOnlyDictionary<string, long> Of(ModelProto model, IReadOnlyCollection<string> values)
    {
        var sizes = new Dictionary<string, long>(StringComparer.Ordinal);
        try
        {
            using var options = new SessionOptions
            {
                GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL,
                IntraOpNumThreads = 1,
                LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
            };
            options.RegisterNestQuantOps();
            using var session = new InferenceSession(ModelFile.ToBytes(WithoutWeights(model, values)), options);
            foreach (string value in values)
                if (session.OutputMetadata[value].Dimensions is [_, _, > 0 and var height, > 0 and var width])
                    sizes[value] = (long)height * width;
        }
        catch (OnnxRuntimeException)
        {
            // A model that ONNX Runtime cannot load still expands; its cost is then not known.
            sizes.Clear();
        }

        return sizes;
    }

    /// <summary>The same nodes with weights as inputs, so that no weight is copied, and with the asked values as outputs.</summary>
    private static ModelProto WithoutWeights(ModelProto model, IEnumerable<string> values)
    {
        GraphProto source = model.Graph!;
        var graph = new GraphProto { Name = source.Name };
        graph.Node.AddRange(source.Node);
        graph.Input.AddRange(source.Input);
        graph.SparseInitializer.AddRange(source.SparseInitializer);
        graph.Output.AddRange(values.Select(static value => new ValueInfoProto { Name = value }));
        var inputs = source.Input.Select(static input => input.Name).ToHashSet(StringComparer.Ordinal);
        foreach (TensorProto tensor in source.Initializer)
        {
            if (tensor.ElementCount <= LargestShapeConstant) graph.Initializer.Add(tensor.IsExternal ? Inline(tensor) : tensor);
            else if (!inputs.Contains(tensor.Name)) graph.Input.Add(Input(tensor));
        }

        var shapes = new ModelProto { IrVersion = model.IrVersion, Graph = graph };
        shapes.OpsetImport.AddRange(model.OpsetImport);
        shapes.Functions.AddRange(model.Functions);
        return shapes;
    }

    private static TensorProto Inline(TensorProto tensor) =>
        TensorProto.FromBytes(tensor.Name, tensor.DataType, tensor.Dims.ToArray(), tensor.GetBytes().ToArray());

    private static ValueInfoProto Input(TensorProto tensor)
    {
        var shape = new TensorShapeProto();
        shape.Dim.AddRange(tensor.Dims.Select(static dim => new TensorShapeProto.Dimension { DimValue = dim }));
        return new ValueInfoProto
        {
            Name = tensor.Name,
            Type = new TypeProto { TensorType = new TypeProto.Tensor { ElemType = tensor.DataType, Shape = shape } },
        };
    }
}
