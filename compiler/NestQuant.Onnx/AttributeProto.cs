using System.Diagnostics.CodeAnalysis;
using ProtoBuf;

namespace NestQuant.Onnx;

/// <summary>Which field of an <see cref="AttributeProto"/> holds its value (enum <c>AttributeProto.AttributeType</c>).</summary>
public enum AttributeType
{
    /// <summary>Not given; only files of IR version 1 leave it out.</summary>
    Undefined = 0,

    /// <summary><see cref="AttributeProto.F"/>.</summary>
    Float = 1,

    /// <summary><see cref="AttributeProto.I"/>.</summary>
    Int = 2,

    /// <summary><see cref="AttributeProto.S"/>.</summary>
    String = 3,

    /// <summary><see cref="AttributeProto.T"/>.</summary>
    Tensor = 4,

    /// <summary><see cref="AttributeProto.G"/>.</summary>
    Graph = 5,

    /// <summary><see cref="AttributeProto.Floats"/>.</summary>
    Floats = 6,

    /// <summary><see cref="AttributeProto.Ints"/>.</summary>
    Ints = 7,

    /// <summary><see cref="AttributeProto.Strings"/>.</summary>
    Strings = 8,

    /// <summary><see cref="AttributeProto.Tensors"/>.</summary>
    Tensors = 9,

    /// <summary><see cref="AttributeProto.Graphs"/>.</summary>
    Graphs = 10,

    /// <summary><see cref="AttributeProto.SparseTensor"/>.</summary>
    SparseTensor = 11,

    /// <summary><see cref="AttributeProto.SparseTensors"/>.</summary>
    SparseTensors = 12,

    /// <summary><see cref="AttributeProto.Tp"/>.</summary>
    TypeProto = 13,

    /// <summary><see cref="AttributeProto.TypeProtos"/>.</summary>
    TypeProtos = 14,
}

/// <summary>
/// A named parameter of a node: exactly one value field is in use, named by <see cref="Type"/>, unless
/// <see cref="RefAttrName"/> forwards an attribute of the enclosing function (message <c>AttributeProto</c>).
/// </summary>
[ProtoContract]
public sealed partial class AttributeProto : Extensible
{
    [ProtoMember(1)]
    private string? _name;

    [ProtoMember(20)]
    private AttributeType? _type;

    /// <summary>Name of the attribute; empty when absent. Assign null to make the field absent.</summary>
    [AllowNull]
    public string Name
    {
        get => _name ?? "";
        set => _name = value;
    }

    /// <summary>A float value.</summary>
    [ProtoMember(2)]
    public float? F { get; set; }

    /// <summary>An integer value.</summary>
    [ProtoMember(3)]
    public long? I { get; set; }

    /// <summary>A string value as UTF-8 bytes (not necessarily text).</summary>
    [ProtoMember(4)]
    public byte[]? S { get; set; }

    /// <summary>A tensor value.</summary>
    [ProtoMember(5)]
    public TensorProto? T { get; set; }

    /// <summary>A graph value, for example a branch of <c>If</c>.</summary>
    [ProtoMember(6)]
    public GraphProto? G { get; set; }

    /// <summary>A list of floats.</summary>
    [ProtoMember(7)]
    public List<float> Floats { get; } = [];

    /// <summary>A list of integers.</summary>
    [ProtoMember(8)]
    public List<long> Ints { get; } = [];

    /// <summary>A list of strings as UTF-8 bytes.</summary>
    [ProtoMember(9)]
    public List<byte[]> Strings { get; } = [];

    /// <summary>A list of tensors.</summary>
    [ProtoMember(10)]
    public List<TensorProto> Tensors { get; internal set; } = [];

    /// <summary>A list of graphs.</summary>
    [ProtoMember(11)]
    public List<GraphProto> Graphs { get; internal set; } = [];

    /// <summary>Documentation for people; Markdown is allowed.</summary>
    [ProtoMember(13)]
    public string? DocString { get; set; }

    /// <summary>A type value.</summary>
    [ProtoMember(14)]
    public TypeProto? Tp { get; set; }

    /// <summary>A list of types.</summary>
    [ProtoMember(15)]
    public List<TypeProto> TypeProtos { get; } = [];

    /// <summary>Which of the value fields is in use; <see cref="AttributeType.Undefined"/> when absent.</summary>
    public AttributeType Type
    {
        get => _type ?? AttributeType.Undefined;
        set => _type = value;
    }

    /// <summary>Inside a function body: name of the function's attribute whose value is taken. No value field is then set.</summary>
    [ProtoMember(21)]
    public string? RefAttrName { get; set; }

    /// <summary>A sparse tensor value.</summary>
    [ProtoMember(22)]
    public SparseTensorProto? SparseTensor { get; set; }

    /// <summary>A list of sparse tensors.</summary>
    [ProtoMember(23)]
    public List<SparseTensorProto> SparseTensors { get; internal set; } = [];

    /// <summary>A second message over the same lists and fields; only for writing variants of a model.</summary>
    internal AttributeProto ShallowCopy() => (AttributeProto)MemberwiseClone();
}
