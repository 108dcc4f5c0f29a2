using System.Diagnostics.CodeAnalysis;
using ProtoBuf;

namespace NestQuant.Onnx;

/// <summary>One application of an operator or of a local function (message <c>NodeProto</c>).</summary>
[ProtoContract]
public sealed partial class NodeProto : Extensible
{
    [ProtoMember(3)]
    private string? _name;

    [ProtoMember(4)]
    private string? _opType;

    [ProtoMember(7)]
    private string? _domain;

    /// <summary>Names of the values read, in the operator's order; an empty name is an optional input that is not given.</summary>
    [ProtoMember(1)]
    public List<string> Input { get; } = [];

    /// <summary>Names of the values produced, in the operator's order; an empty name is an optional output that is not wanted.</summary>
    [ProtoMember(2)]
    public List<string> Output { get; } = [];

    /// <summary>Name of the node, for people; empty when absent. Assign null to make the field absent.</summary>
    [AllowNull]
    public string Name
    {
        get => _name ?? "";
        set => _name = value;
    }

    /// <summary>Name of the operator, for example <c>Conv</c>; empty when absent. Assign null to make the field absent.</summary>
    [AllowNull]
    public string OpType
    {
        get => _opType ?? "";
        set => _opType = value;
    }

    /// <summary>The operator's parameters that are known before execution; names are distinct.</summary>
    [ProtoMember(5)]
    public List<AttributeProto> Attribute { get; internal set; } = [];

    /// <summary>Documentation for people; Markdown is allowed.</summary>
    [ProtoMember(6)]
    public string? DocString { get; set; }

    /// <summary>Domain of the operator; empty (also when absent) means ONNX's own. Assign null to make the field absent.</summary>
    [AllowNull]
    public string Domain
    {
        get => _domain ?? "";
        set => _domain = value;
    }

    /// <summary>Selects one of several functions of the same domain and name (IR 10).</summary>
    [ProtoMember(8)]
    public string? Overload { get; set; }

    /// <summary>Free key-value metadata (IR 10).</summary>
    [ProtoMember(9)]
    public List<StringStringEntryProto> MetadataProps { get; } = [];

    /// <summary>How the node is placed under each multi-device configuration (IR 11).</summary>
    [ProtoMember(10)]
    public List<NodeDeviceConfigurationProto> DeviceConfigurations { get; } = [];

    /// <summary>A second message over the same lists and fields; only for writing variants of a model.</summary>
    internal NodeProto ShallowCopy() => (NodeProto)MemberwiseClone();
}
