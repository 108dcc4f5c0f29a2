using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.RuntimeOps;

namespace NestQuant.TestSupport;

/// <summary>A model of one node, named "subject", built input by input.</summary>
public sealed class NodeModel(string opType)
{
    private readonly Dictionary<string, AttributeProto> _attributes = [];
    private readonly List<string> _inputs = [];
    private readonly HashSet<string> _absent = [];
    private readonly Dictionary<string, TensorProto> _initializers = [];
    private readonly Dictionary<string, ValueInfoProto> _graphInputs = [];

    public string Domain { get; init; } = NestQuantOps.Domain;

    public TensorDataType OutputType { get; init; } = TensorDataType.Float;

    public NodeModel With(AttributeProto attribute)
    {
        _attributes[attribute.Name] = attribute;
        return this;
    }

    public NodeModel Without(string attribute)
    {
        _attributes.Remove(attribute);
        return this;
    }

    /// <summary>An input that every run must feed.</summary>
    public NodeModel Fed(string name, TensorDataType type, params long[] shape)
    {
        AddInput(name);
        _graphInputs[name] = Value(name, type, shape);
        return this;
    }

    /// <summary>An initializer; adding it again replaces it, at the place where it was.</summary>
    public NodeModel Constant(TensorProto tensor)
    {
        AddInput(tensor.Name);
        _initializers[tensor.Name] = tensor;
        return this;
    }

    /// <summary>An initializer that is also a graph input.</summary>
    public NodeModel Default(TensorProto tensor)
    {
        Constant(tensor);
        _graphInputs[tensor.Name] = Value(tensor.Name, tensor.DataType, [.. tensor.Dims]);
        return this;
    }

    /// <summary>Leaves an optional input out, at its place.</summary>
    public NodeModel Absent(string name)
    {
        AddInput(name);
        _absent.Add(name);
        _initializers.Remove(name);
        _graphInputs.Remove(name);
        return this;
    }

    /// <summary>The first dimension of an initializer.</summary>
    public long LengthOf(string name) => _initializers[name].Dims[0];

    /// <summary>Forgets an input and its place.</summary>
    public NodeModel Remove(string name)
    {
        Absent(name);
        _inputs.Remove(name);
        return this;
    }

    public ModelProto Build()
    {
        NodeProto node = new() { Name = "subject", OpType = opType, Domain = Domain };
        node.Input.AddRange(_inputs.Select(name => _absent.Contains(name) ? "" : name));
        node.Output.Add("Y");
        foreach (AttributeProto attribute in _attributes.Values)
            node.SetAttribute(attribute);
        GraphProto graph = new() { Name = "test" };
        graph.Node.Add(node);
        graph.Initializer.AddRange(_initializers.Values);
        graph.Input.AddRange(_graphInputs.Values);
        graph.Output.Add(
            new ValueInfoProto { Name = "Y", Type = new TypeProto { TensorType = new TypeProto.Tensor { ElemType = OutputType } } });
        ModelProto model = new() { IrVersion = 10, Graph = graph };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = 17 });
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = NestQuantOps.Domain, Version = NestQuantOps.Version });
        return model;
    }

    public InferenceSession Open(int threads = 1, params (string Key, string Value)[] config) =>
        Open(ModelFile.ToBytes(Build()), threads, config);

    public static InferenceSession Open(byte[] model, int threads, params (string Key, string Value)[] config)
    {
        using SessionOptions options = Options(threads, config);
        return new InferenceSession(model, options);
    }

    public static SessionOptions Options(int threads, params (string Key, string Value)[] config)
    {
        SessionOptions options = new SessionOptions
        {
            IntraOpNumThreads = threads,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
        }.RegisterNestQuantOps();
        foreach ((string key, string value) in config)
            options.AddSessionConfigEntry(key, value);
        return options;
    }

    private void AddInput(string name)
    {
        _absent.Remove(name);
        if (!_inputs.Contains(name))
            _inputs.Add(name);
    }

    private static ValueInfoProto Value(string name, TensorDataType type, long[] shape)
    {
        TensorShapeProto dimensions = new();
        foreach (long d in shape)
            dimensions.Dim.Add(d < 0 ? new TensorShapeProto.Dimension { DimParam = "N" } : new TensorShapeProto.Dimension { DimValue = d });
        return new ValueInfoProto
        {
            Name = name,
            Type = new TypeProto { TensorType = new TypeProto.Tensor { ElemType = type, Shape = dimensions } },
        };
    }
}
