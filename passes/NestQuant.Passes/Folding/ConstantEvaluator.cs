using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Folding;

/// <summary>Evaluates nodes over constants in a session of ONNX Runtime without inputs.</summary>
/// <remarks>
/// Sessions use the allocators that the process has registered with ONNX Runtime, if any: one with a limit bounds the memory that nodes
/// need besides their results.
/// </remarks>
internal sealed class ConstantEvaluator(ModelProto model)
{
    private const string RankSuffix = ".rank";

    /// <summary>Larger constants are not copied for shape inference: no shape depends on their values.</summary>
    private const long LargestShapeConstant = 1024;

    /// <summary>
    /// The results of <paramref name="nodes"/> whose types and shapes ONNX Runtime infers without running anything. Results whose shape
    /// depends on values that only a run yields are left out.
    /// </summary>
    /// <exception cref="ModelException">ONNX Runtime refuses the nodes.</exception>
    public IReadOnlyDictionary<string, ValueInfoProto> Infer(IReadOnlyList<NodeProto> nodes, GraphView view)
    {
        string[] values = [.. nodes.SelectMany(static node => node.Output).Where(static value => value.Length > 0)];
        // The binding describes a scalar and a value of unknown rank alike; the length of its shape tells them apart.
        IEnumerable<string> outputs = values.SelectMany(static value => new[] { value, value + RankSuffix });
        ModelProto subgraph = Subgraph(
            nodes, view, outputs.Select(static name => new ValueInfoProto { Name = name }), LargestShapeConstant);
        foreach (string value in values)
        {
            var shape = new NodeProto { OpType = "Shape" };
            shape.Input.Add(value);
            shape.Output.Add(value + RankSuffix);
            subgraph.Graph!.Node.Add(shape);
        }

        return InSession(subgraph, session =>
        {
            var known = new Dictionary<string, ValueInfoProto>(StringComparer.Ordinal);
            foreach (string value in values)
            {
                NodeMetadata metadata = session.OutputMetadata[value];
                bool hasRank = session.OutputMetadata[value + RankSuffix].Dimensions is [var rank] && rank == metadata.Dimensions.Length;
                if (hasRank && Array.TrueForAll(metadata.Dimensions, static extent => extent >= 0))
                    known.Add(
                        value,
                        Describe(
                            value,
                            (TensorDataType)(int)metadata.ElementDataType,
                            metadata.Dimensions.Select(static extent => (long)extent)));
            }

            return known;
        });
    }

    /// <summary>
    /// Runs <paramref name="nodes"/>, which read nothing but constants and each other, and returns the values named
    /// <paramref name="results"/>.
    /// </summary>
    /// <param name="nodes">The nodes.</param>
    /// <param name="results">Which of their results are wanted.</param>
    /// <param name="view">The graph that holds the nodes.</param>
    /// <param name="shapes">Types and shapes of all their results, from <see cref="Infer"/>.</param>
    /// <param name="time">How long the run may take.</param>
    /// <exception cref="ModelException">ONNX Runtime refuses the nodes or fails to run them.</exception>
    /// <exception cref="TimeoutException">The run takes too long.</exception>
    public IReadOnlyList<TensorProto> Evaluate(
        IReadOnlyList<NodeProto> nodes, IReadOnlyList<string> results, GraphView view, IReadOnlyDictionary<string, ValueInfoProto> shapes,
        TimeSpan time)
    {
        if (results.Count == 0) return [];
        ModelProto subgraph = Subgraph(nodes, view, results.Select(result => shapes[result]));
        // The binding truncates extents to 32 bits. Truncated ones differ from those that ONNX Runtime infers, which it reports.
        IEnumerable<string> others = nodes.SelectMany(static node => node.Output).Where(static value => value.Length > 0).Except(results);
        subgraph.Graph!.ValueInfo.AddRange(others.Select(value => shapes[value]));
        // A thread of its own: where many compile at once, a thread pool may start the work only after the time is over.
        Task<TensorProto[]> work = Task.Factory.StartNew(
            () => InSession(subgraph, session => Run(session, results, time)), CancellationToken.None, TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        try
        {
            // A run stops only between two nodes. A run inside a long node is abandoned and ends by itself.
            return work.Wait(time) ? work.Result : throw new TimeoutException();
        }
        catch (AggregateException failure) when (failure.InnerException is ModelException cause)
        {
            throw new ModelException(cause.Message, cause);
        }
        catch (AggregateException failure) when (failure.InnerException is TimeoutException cause)
        {
            throw new TimeoutException(cause.Message, cause);
        }
    }

    private static TensorProto[] Run(InferenceSession session, IReadOnlyList<string> results, TimeSpan time)
    {
        using var run = new RunOptions();
        using var limit = new CancellationTokenSource(time);
        using CancellationTokenRegistration end = limit.Token.Register(() => run.Terminate = true);
        try
        {
            using IDisposableReadOnlyCollection<OrtValue> values = session.Run(run, [], [], results);
            return [.. values.Select((value, i) => ToTensor(value, results[i]))];
        }
        catch (OnnxRuntimeException failure) when (limit.IsCancellationRequested)
        {
            throw new TimeoutException(failure.Message, failure);
        }
    }

    private static T InSession<T>(ModelProto subgraph, Func<InferenceSession, T> work)
    {
        try
        {
            using var options = new SessionOptions
            {
                GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL,
                IntraOpNumThreads = 1,
                LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
            };
            options.AddSessionConfigEntry("session.strict_shape_type_inference", "1");
            options.AddSessionConfigEntry("session.use_env_allocators", "1");
            using var session = new InferenceSession(ModelFile.ToBytes(subgraph), options);
            return work(session);
        }
        catch (OnnxRuntimeException failure) when (failure.Message.Contains("Can't merge shape info", StringComparison.Ordinal))
        {
            throw new ModelException("a result with an extent of more than 31 bits would make the model bigger", failure);
        }
        catch (OnnxRuntimeException failure)
        {
            throw new ModelException(failure.Message.ReplaceLineEndings(" "), failure);
        }
    }

    /// <summary>The nodes with their constants: as initializers, or as inputs above a number of elements.</summary>
    private ModelProto Subgraph(
        IReadOnlyList<NodeProto> nodes, GraphView view, IEnumerable<ValueInfoProto> outputs, long mostElements = long.MaxValue)
    {
        var graph = new GraphProto { Name = "constants" };
        graph.Node.AddRange(nodes);
        var produced = nodes.SelectMany(static node => node.Output).ToHashSet(StringComparer.Ordinal);
        foreach (string name in nodes.SelectMany(static node => node.Input)
                .Where(static name => name.Length > 0)
                .Distinct(StringComparer.Ordinal))
        {
            if (produced.Contains(name) || view.Constant(name) is not { } tensor) continue;
            if (tensor.ElementCount > mostElements) graph.Input.Add(Describe(name, tensor.DataType, tensor.Dims));
            else graph.Initializer.Add(Inline(tensor));
        }

        graph.Output.AddRange(outputs);
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

    private static ValueInfoProto Describe(string name, TensorDataType type, IEnumerable<long> dims)
    {
        var shape = new TensorShapeProto();
        shape.Dim.AddRange(dims.Select(static extent => new TensorShapeProto.Dimension { DimValue = extent }));
        return new ValueInfoProto
        {
            Name = name,
            Type = new TypeProto { TensorType = new TypeProto.Tensor { ElemType = type, Shape = shape } },
        };
    }

    private static TensorProto ToTensor(OrtValue value, string name)
    {
        OrtTensorTypeAndShapeInfo info = value.GetTensorTypeAndShape();
        if (!value.IsTensor || info.ElementDataType == TensorElementType.String)
            throw new ModelException($"the constant '{name}' is not a numeric tensor");
        return TensorProto.FromBytes(
            name, (TensorDataType)(int)info.ElementDataType, info.Shape, value.GetTensorDataAsSpan<byte>().ToArray());
    }
}
