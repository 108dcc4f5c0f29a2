using System.Diagnostics.CodeAnalysis;
using ProtoBuf;

namespace NestQuant.Onnx;

/// <summary>Where a tensor's content is stored (enum <c>TensorProto.DataLocation</c>).</summary>
public enum TensorDataLocation
{
    /// <summary>In the message, in <c>raw_data</c> or in one of the typed fields.</summary>
    Default = 0,

    /// <summary>In another file, described by <c>external_data</c>.</summary>
    External = 1,
}

/// <summary>
/// A constant tensor (message <c>TensorProto</c>). Its content is little-endian bytes in row-major order (<see cref="RawData"/>),
/// or one of the typed lists, or lies in another file; <see cref="GetBytes"/> reads all three.
/// </summary>
[ProtoContract]
public sealed partial class TensorProto : Extensible
{
    [ProtoMember(2)]
    private TensorDataType? _dataType;

    [ProtoMember(8)]
    private string? _name;

    [ProtoMember(9)]
    private RawContent? _rawData;

    [ProtoMember(4)]
    private PackedList<float>? FloatField
    {
        get => PackedList<float>.Of(FloatData);
        set => FloatData = value?.Values ?? [];
    }

    [ProtoMember(5)]
    private PackedList<int>? Int32Field
    {
        get => PackedList<int>.Of(Int32Data);
        set => Int32Data = value?.Values ?? [];
    }

    [ProtoMember(7)]
    private PackedList<long>? Int64Field
    {
        get => PackedList<long>.Of(Int64Data);
        set => Int64Data = value?.Values ?? [];
    }

    [ProtoMember(10)]
    private PackedList<double>? DoubleField
    {
        get => PackedList<double>.Of(DoubleData);
        set => DoubleData = value?.Values ?? [];
    }

    [ProtoMember(11)]
    private PackedList<ulong>? Uint64Field
    {
        get => PackedList<ulong>.Of(Uint64Data);
        set => Uint64Data = value?.Values ?? [];
    }

    /// <summary>The shape; empty for a scalar.</summary>
    [ProtoMember(1)]
    public List<long> Dims { get; private set; } = [];

    /// <summary>Type of the elements; <see cref="TensorDataType.Undefined"/> when absent.</summary>
    public TensorDataType DataType
    {
        get => _dataType ?? TensorDataType.Undefined;
        set => _dataType = value;
    }

    /// <summary>Which part of a larger tensor this message holds.</summary>
    [ProtoMember(3)]
    public TensorSegmentProto? Segment { get; set; }

    /// <summary>Values of Float and Complex64 tensors (real and imaginary parts in turn).</summary>
    public List<float> FloatData { get; private set; } = [];

    /// <summary>Values of Int32 and of every type of 16 bits or fewer, one element or one packed byte each.</summary>
    public List<int> Int32Data { get; private set; } = [];

    /// <summary>Values of String tensors as UTF-8 bytes.</summary>
    [ProtoMember(6)]
    public List<byte[]> StringData { get; private set; } = [];

    /// <summary>Values of Int64 tensors.</summary>
    public List<long> Int64Data { get; private set; } = [];

    /// <summary>Name of the tensor; empty when absent. Assign null to make the field absent.</summary>
    [AllowNull]
    public string Name
    {
        get => _name ?? "";
        set => _name = value;
    }

    /// <summary>
    /// Content as little-endian bytes, null when absent. Assigning replaces whatever content the tensor had, typed or external;
    /// the memory is not copied and must not change afterwards.
    /// </summary>
    public ReadOnlyMemory<byte>? RawData
    {
        get => _rawData?.Memory;
        set => SetRawData(value);
    }

    /// <summary>Values of Double and Complex128 tensors (real and imaginary parts in turn).</summary>
    public List<double> DoubleData { get; private set; } = [];

    /// <summary>Values of UInt64 and UInt32 tensors.</summary>
    public List<ulong> Uint64Data { get; private set; } = [];

    /// <summary>Documentation for people; Markdown is allowed.</summary>
    [ProtoMember(12)]
    public string? DocString { get; set; }

    /// <summary>Keys <c>location</c>, <c>offset</c>, <c>length</c>, <c>checksum</c> of content in another file.</summary>
    [ProtoMember(13)]
    public List<StringStringEntryProto> ExternalData { get; private set; } = [];

    /// <summary>Whether the content is in the message (also when absent) or in another file.</summary>
    [ProtoMember(14)]
    public TensorDataLocation? DataLocation { get; set; }

    /// <summary>Free key-value metadata (IR 10).</summary>
    [ProtoMember(16)]
    public List<StringStringEntryProto> MetadataProps { get; private set; } = [];
}

/// <summary>The part of a larger tensor that one message holds (message <c>TensorProto.Segment</c>).</summary>
[ProtoContract]
public sealed class TensorSegmentProto : Extensible
{
    /// <summary>Index of the first element held.</summary>
    [ProtoMember(1)]
    public long? Begin { get; set; }

    /// <summary>Index after the last element held.</summary>
    [ProtoMember(2)]
    public long? End { get; set; }
}

/// <summary>A tensor stored as its non-default elements and their coordinates (message <c>SparseTensorProto</c>).</summary>
[ProtoContract]
public sealed class SparseTensorProto : Extensible
{
    /// <summary>The stored elements, shape [NNZ]; its name names the whole tensor.</summary>
    [ProtoMember(1)]
    public TensorProto? Values { get; set; }

    /// <summary>Int64 positions, either linear with shape [NNZ] or coordinates with shape [NNZ, rank], in ascending order.</summary>
    [ProtoMember(2)]
    public TensorProto? Indices { get; set; }

    /// <summary>Shape of the dense tensor.</summary>
    [ProtoMember(3)]
    public List<long> Dims { get; } = [];

    /// <summary>A second message over the same lists and fields; only for writing variants of a model.</summary>
    internal SparseTensorProto ShallowCopy() => (SparseTensorProto)MemberwiseClone();
}
