using System.Diagnostics.CodeAnalysis;
using NestQuant.Onnx.Files;
using ProtoBuf;

namespace NestQuant.Onnx;

/// <summary>
/// The root message of an ONNX file: one main graph, the operator sets it is written against, its local functions and its metadata
/// (ONNX IR specification, message <c>ModelProto</c>, IR version 13).
/// </summary>
/// <remarks>
/// Every message class keeps proto2 semantics: an optional field that was absent when read stays absent when written, and fields
/// that this schema does not know survive a round trip.
/// </remarks>
[ProtoContract]
public sealed class ModelProto : Extensible
{
    /// <summary>Version of the ONNX intermediate representation; required by the specification.</summary>
    [ProtoMember(1)]
    public long? IrVersion { get; set; }

    /// <summary>Name of the tool that wrote the model.</summary>
    [ProtoMember(2)]
    public string? ProducerName { get; set; }

    /// <summary>Version of the tool that wrote the model.</summary>
    [ProtoMember(3)]
    public string? ProducerVersion { get; set; }

    /// <summary>Name space of the model, in reverse domain notation.</summary>
    [ProtoMember(4)]
    public string? Domain { get; set; }

    /// <summary>Version of the model itself, chosen by its author.</summary>
    [ProtoMember(5)]
    public long? ModelVersion { get; set; }

    /// <summary>Documentation for people; Markdown is allowed.</summary>
    [ProtoMember(6)]
    public string? DocString { get; set; }

    /// <summary>The graph that is executed; <see cref="ModelFile"/> refuses a file without one.</summary>
    [ProtoMember(7)]
    public GraphProto? Graph { get; set; }

    /// <summary>Operator sets that the main graph's nodes are bound to, one per domain; the empty domain is ONNX's own.</summary>
    [ProtoMember(8)]
    public List<OperatorSetIdProto> OpsetImport { get; } = [];

    /// <summary>Free key-value metadata; keys are distinct.</summary>
    [ProtoMember(14)]
    public List<StringStringEntryProto> MetadataProps { get; internal set; } = [];

    /// <summary>Training steps: initialisation and update graphs.</summary>
    [ProtoMember(20)]
    public List<TrainingInfoProto> TrainingInfo { get; internal set; } = [];

    /// <summary>Model-local functions, identified by domain, name and overload.</summary>
    [ProtoMember(25)]
    public List<FunctionProto> Functions { get; internal set; } = [];

    /// <summary>Multi-device configurations that nodes refer to by name (IR 11).</summary>
    [ProtoMember(26)]
    public List<DeviceConfigurationProto> Configuration { get; } = [];

    /// <summary>
    /// A model of its own: what is done to one is not seen in the other. Raw and external contents of tensors are shared, not copied, as
    /// neither changes.
    /// </summary>
    public ModelProto Clone() => ModelClone.Of(this);

    /// <summary>A second message over the same lists and fields; only for writing variants of a model.</summary>
    internal ModelProto ShallowCopy() => (ModelProto)MemberwiseClone();
}

/// <summary>One imported operator set (message <c>OperatorSetIdProto</c>).</summary>
[ProtoContract]
public sealed class OperatorSetIdProto : Extensible
{
    [ProtoMember(1)]
    private string? _domain;

    /// <summary>Domain of the operator set; empty (also when absent) means ONNX's own. Assign null to make the field absent.</summary>
    [AllowNull]
    public string Domain
    {
        get => _domain ?? "";
        set => _domain = value;
    }

    /// <summary>Version of the operator set, at least 1.</summary>
    [ProtoMember(2)]
    public long? Version { get; set; }
}

/// <summary>One key-value pair (message <c>StringStringEntryProto</c>).</summary>
[ProtoContract]
public sealed class StringStringEntryProto : Extensible
{
    [ProtoMember(1)]
    private string? _key;

    [ProtoMember(2)]
    private string? _value;

    /// <summary>Creates an empty pair.</summary>
    public StringStringEntryProto()
    {
    }

    /// <summary>Creates a pair.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    public StringStringEntryProto(string key, string value)
    {
        _key = key;
        _value = value;
    }

    /// <summary>The key; empty when absent. Assign null to make the field absent.</summary>
    [AllowNull]
    public string Key
    {
        get => _key ?? "";
        set => _key = value;
    }

    /// <summary>The value; empty when absent. Assign null to make the field absent.</summary>
    [AllowNull]
    public string Value
    {
        get => _value ?? "";
        set => _value = value;
    }

    /// <summary>A pair of its own, absent fields absent.</summary>
    internal StringStringEntryProto Clone() => (StringStringEntryProto)MemberwiseClone();
}
