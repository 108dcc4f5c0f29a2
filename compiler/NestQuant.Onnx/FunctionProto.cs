using System.Diagnostics.CodeAnalysis;
using ProtoBuf;

namespace NestQuant.Onnx;

/// <summary>An operator defined inside the model by a body of nodes (message <c>FunctionProto</c>).</summary>
[ProtoContract]
public sealed class FunctionProto : Extensible
{
    [ProtoMember(1)]
    private string? _name;

    [ProtoMember(10)]
    private string? _domain;

    /// <summary>Name that nodes call it by; empty when absent. Assign null to make the field absent.</summary>
    [AllowNull]
    public string Name
    {
        get => _name ?? "";
        set => _name = value;
    }

    /// <summary>Formal inputs, in order.</summary>
    [ProtoMember(4)]
    public List<string> Input { get; } = [];

    /// <summary>Formal outputs, in order.</summary>
    [ProtoMember(5)]
    public List<string> Output { get; } = [];

    /// <summary>Names of attributes without a default.</summary>
    [ProtoMember(6)]
    public List<string> Attribute { get; } = [];

    /// <summary>The body, in topological order.</summary>
    [ProtoMember(7)]
    public List<NodeProto> Node { get; internal set; } = [];

    /// <summary>Documentation for people; Markdown is allowed.</summary>
    [ProtoMember(8)]
    public string? DocString { get; set; }

    /// <summary>Operator sets that the body is bound to.</summary>
    [ProtoMember(9)]
    public List<OperatorSetIdProto> OpsetImport { get; } = [];

    /// <summary>Domain of the function; empty when absent. Assign null to make the field absent.</summary>
    [AllowNull]
    public string Domain
    {
        get => _domain ?? "";
        set => _domain = value;
    }

    /// <summary>Attributes with a default (IR 9).</summary>
    [ProtoMember(11)]
    public List<AttributeProto> AttributeProto { get; internal set; } = [];

    /// <summary>Types and shapes of inner values (IR 10).</summary>
    [ProtoMember(12)]
    public List<ValueInfoProto> ValueInfo { get; } = [];

    /// <summary>Tells functions of the same domain and name apart (IR 10).</summary>
    [ProtoMember(13)]
    public string? Overload { get; set; }

    /// <summary>Free key-value metadata (IR 10).</summary>
    [ProtoMember(14)]
    public List<StringStringEntryProto> MetadataProps { get; } = [];

    /// <summary>A second message over the same lists and fields; only for writing variants of a model.</summary>
    internal FunctionProto ShallowCopy() => (FunctionProto)MemberwiseClone();
}
