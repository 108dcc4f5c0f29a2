using System.Diagnostics.CodeAnalysis;
using ProtoBuf;

namespace NestQuant.Onnx;

/// <summary>
/// A directed acyclic graph of nodes in topological order, with its constants, inputs and outputs (message <c>GraphProto</c>).
/// Also a subgraph of a control-flow operator, held by an attribute.
/// </summary>
[ProtoContract]
public sealed class GraphProto : Extensible
{
    [ProtoMember(2)]
    private string? _name;

    /// <summary>The nodes, sorted so that a value is produced before it is used.</summary>
    [ProtoMember(1)]
    public List<NodeProto> Node { get; internal set; } = [];

    /// <summary>Name of the graph; empty when absent. Assign null to make the field absent.</summary>
    [AllowNull]
    public string Name
    {
        get => _name ?? "";
        set => _name = value;
    }

    /// <summary>Named constants. One whose name is also a graph input is only that input's default.</summary>
    [ProtoMember(5)]
    public List<TensorProto> Initializer { get; internal set; } = [];

    /// <summary>Documentation for people; Markdown is allowed.</summary>
    [ProtoMember(10)]
    public string? DocString { get; set; }

    /// <summary>Inputs of the graph, in order.</summary>
    [ProtoMember(11)]
    public List<ValueInfoProto> Input { get; } = [];

    /// <summary>Outputs of the graph, in order.</summary>
    [ProtoMember(12)]
    public List<ValueInfoProto> Output { get; } = [];

    /// <summary>Types and shapes of inner values; optional, names distinct.</summary>
    [ProtoMember(13)]
    public List<ValueInfoProto> ValueInfo { get; } = [];

    /// <summary>Links tensors to the tensors of their quantization parameters.</summary>
    [ProtoMember(14)]
    public List<TensorAnnotation> QuantizationAnnotation { get; } = [];

    /// <summary>Constants stored as coordinates and values; the name is that of the values tensor.</summary>
    [ProtoMember(15)]
    public List<SparseTensorProto> SparseInitializer { get; internal set; } = [];

    /// <summary>Free key-value metadata (IR 10).</summary>
    [ProtoMember(16)]
    public List<StringStringEntryProto> MetadataProps { get; } = [];

    /// <summary>A second message over the same lists and fields; only for writing variants of a model.</summary>
    internal GraphProto ShallowCopy() => (GraphProto)MemberwiseClone();
}

/// <summary>Name, type and documentation of one value of a graph (message <c>ValueInfoProto</c>).</summary>
[ProtoContract]
public sealed class ValueInfoProto : Extensible
{
    [ProtoMember(1)]
    private string? _name;

    /// <summary>Name of the value; empty when absent. Assign null to make the field absent.</summary>
    [AllowNull]
    public string Name
    {
        get => _name ?? "";
        set => _name = value;
    }

    /// <summary>Type of the value; required for inputs and outputs of the main graph.</summary>
    [ProtoMember(2)]
    public TypeProto? Type { get; set; }

    /// <summary>Documentation for people; Markdown is allowed.</summary>
    [ProtoMember(3)]
    public string? DocString { get; set; }

    /// <summary>Free key-value metadata (IR 10).</summary>
    [ProtoMember(4)]
    public List<StringStringEntryProto> MetadataProps { get; } = [];
}

/// <summary>Names the tensors that hold another tensor's quantization parameters (message <c>TensorAnnotation</c>).</summary>
[ProtoContract]
public sealed class TensorAnnotation : Extensible
{
    /// <summary>The annotated tensor.</summary>
    [ProtoMember(1)]
    public string? TensorName { get; set; }

    /// <summary>Pairs such as <c>SCALE_TENSOR</c> or <c>ZERO_POINT_TENSOR</c> with a tensor's name.</summary>
    [ProtoMember(2)]
    public List<StringStringEntryProto> QuantParameterTensorNames { get; } = [];
}
