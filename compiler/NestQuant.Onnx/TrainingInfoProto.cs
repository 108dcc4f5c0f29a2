using ProtoBuf;

namespace NestQuant.Onnx;

/// <summary>One training step: how values are initialised and how they are updated (message <c>TrainingInfoProto</c>).</summary>
[ProtoContract]
public sealed class TrainingInfoProto : Extensible
{
    /// <summary>Graph without inputs that computes initial values.</summary>
    [ProtoMember(1)]
    public GraphProto? Initialization { get; set; }

    /// <summary>Graph that computes one update.</summary>
    [ProtoMember(2)]
    public GraphProto? Algorithm { get; set; }

    /// <summary>Pairs of an initializer's name and the output of <see cref="Initialization"/> assigned to it.</summary>
    [ProtoMember(3)]
    public List<StringStringEntryProto> InitializationBinding { get; } = [];

    /// <summary>Pairs of an initializer's name and the output of <see cref="Algorithm"/> assigned to it.</summary>
    [ProtoMember(4)]
    public List<StringStringEntryProto> UpdateBinding { get; } = [];

    /// <summary>A second message over the same lists and fields; only for writing variants of a model.</summary>
    internal TrainingInfoProto ShallowCopy() => (TrainingInfoProto)MemberwiseClone();
}
