using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Calibration;

namespace NestQuant.Passes.Nesting.Calibrated;

/// <summary>
/// A model that runs layer by layer: the nodes in front of a layer are executed in ONNX Runtime for all samples when its input is asked
/// for, and what comes later can still be changed. Holds only the values that are still needed.
/// </summary>
internal sealed class LayeredNetwork : IDisposable
{
    private readonly ModelProto _model;
    private readonly CalibrationSamples _samples;
    private readonly IReadOnlyList<string> _customOps;
    private readonly ParallelOptions _parallel;
    private readonly StoredValues _values;
    private readonly Dictionary<string, TensorProto> _initializers;
    private readonly Dictionary<NodeProto, string[]> _reads = new(ReferenceEqualityComparer.Instance);
    private readonly RunOptions _run = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
    private List<NodeProto> _pending;

    /// <summary>Starts in front of the first node.</summary>
    /// <param name="model">The model, which stays as it is.</param>
    /// <param name="samples">Its inputs.</param>
    /// <param name="customOps">Paths of libraries with operators that it uses.</param>
    /// <param name="limit">Most bytes of values to keep in memory.</param>
    /// <param name="parallel">Degree of parallelism and cancellation.</param>
    public LayeredNetwork(
        ModelProto model, CalibrationSamples samples, IReadOnlyList<string> customOps, long limit, ParallelOptions parallel)
    {
        _model = model;
        _samples = samples;
        _customOps = customOps;
        _parallel = parallel;
        _values = new StoredValues(samples.Count, limit);
        GraphProto graph = model.MainGraph();
        _initializers = graph.Initializer.ToDictionary(static tensor => tensor.Name, StringComparer.Ordinal);
        _pending = [.. graph.Node];
    }

    /// <summary>Puts other nodes in the place of one that has not been executed.</summary>
    public void Replace(NodeProto node, params ReadOnlySpan<NodeProto> replacement)
    {
        int position = _pending.FindIndex(pending => ReferenceEquals(pending, node));
        _pending.RemoveAt(position);
        _pending.InsertRange(position, replacement);
    }

    /// <summary>Adds a constant, or replaces it for the nodes that have not been executed.</summary>
    public void SetInitializer(TensorProto tensor) => _initializers[tensor.Name] = tensor;

    /// <summary>A sample of a value that <see cref="Compute"/> has computed.</summary>
    public StoredValues.Lease Get(string value, int sample) =>
        _samples.Values.Contains(value) ? _samples.Values.Get(value, sample) : _values.Get(value, sample);

    /// <summary>Executes what a value needs, and forgets the values that no later node needs.</summary>
    /// <exception cref="ModelException">ONNX Runtime cannot run the model on the data.</exception>
    public void Compute(string value)
    {
        if (IsKnown(value)) return;
        HashSet<NodeProto> needed = Needed(value);
        List<NodeProto> later = [.. _pending.Where(node => !needed.Contains(node))];
        var readLater = later.SelectMany(Reads).Append(value).ToHashSet(StringComparer.Ordinal);
        NodeProto[] nodes = [.. _pending.Where(needed.Contains)];
        string[] outputs = [.. nodes.SelectMany(static node => node.Output).Where(readLater.Contains)];
        Execute(nodes, outputs);
        _pending = later;
        foreach (string stored in _values.Names)
            if (!readLater.Contains(stored)) _values.Remove(stored);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _values.Dispose();
        _run.Dispose();
    }

    private bool IsKnown(string value) => _samples.Values.Contains(value) || _values.Contains(value);

    private HashSet<NodeProto> Needed(string value)
    {
        var producers = new Dictionary<string, NodeProto>(StringComparer.Ordinal);
        foreach (NodeProto node in _pending)
            foreach (string output in node.Output) producers[output] = node;
        var needed = new HashSet<NodeProto>(ReferenceEqualityComparer.Instance);
        var open = new Stack<string>([value]);
        while (open.TryPop(out string? name))
        {
            if (IsKnown(name) || !producers.TryGetValue(name, out NodeProto? node) || !needed.Add(node)) continue;
            foreach (string input in Reads(node)) open.Push(input);
        }

        return needed;
    }

    /// <summary>The values that a node and its subgraphs read.</summary>
    private string[] Reads(NodeProto node)
    {
        if (!_reads.TryGetValue(node, out string[]? reads))
            _reads[node] = reads = [.. node.Input.Concat(node.Subgraphs().SelectMany(CapturedValues.Of)).Where(name => name.Length > 0)];
        return reads;
    }

    private void Execute(NodeProto[] nodes, string[] outputs)
    {
        string[] read = [.. nodes.SelectMany(Reads).Distinct(StringComparer.Ordinal)];
        string[] inputs = [.. read.Where(IsKnown)];
        using InferenceSession session = Open(nodes, inputs, read, outputs);
        ParallelRuns.For(_samples.Count, _parallel, sample =>
        {
            StoredValues.Lease[] leases = Array.ConvertAll(inputs, input => Get(input, sample));
            try
            {
                OrtValue[] feed = Array.ConvertAll(leases, static lease => lease.Value);
                // The values are kept, so their collection is not disposed of.
                IDisposableReadOnlyCollection<OrtValue> results = session.Run(_run, inputs, feed, outputs);
                for (int i = 0; i < outputs.Length; i++) _values.Add(outputs[i], sample, results[i]);
            }
            catch (OnnxRuntimeException e)
            {
                throw new ModelException(
                    $"{_samples.Origins[sample]}: ONNX Runtime cannot run the model on this data: {e.Message}", e);
            }
            finally
            {
                Array.ForEach(leases, static lease => lease.Dispose());
            }
        });
    }

    private InferenceSession Open(NodeProto[] nodes, string[] inputs, string[] read, string[] outputs)
    {
        var graph = new GraphProto { Name = "segment" };
        graph.Node.AddRange(nodes);
        foreach (string input in inputs) graph.Input.Add(Describe(input));
        graph.Initializer.AddRange(read.Select(_initializers.GetValueOrDefault).OfType<TensorProto>());
        graph.SparseInitializer.AddRange(_model.MainGraph().SparseInitializer);
        graph.Output.AddRange(outputs.Select(static output => new ValueInfoProto { Name = output }));
        var model = new ModelProto { IrVersion = _model.IrVersion, Graph = graph };
        model.OpsetImport.AddRange(_model.OpsetImport);
        model.Functions.AddRange(_model.Functions);

        return CalibrationSession.Open(model, _customOps);
    }

    private ValueInfoProto Describe(string input)
    {
        using StoredValues.Lease first = Get(input, 0);
        var type = (TensorDataType)(int)first.Value.GetTensorTypeAndShape().ElementDataType;
        return new ValueInfoProto
        {
            Name = input,
            Type = new TypeProto { TensorType = new TypeProto.Tensor { ElemType = type } },
        };
    }
}
