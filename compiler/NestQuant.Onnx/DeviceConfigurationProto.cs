using ProtoBuf;

namespace NestQuant.Onnx;

/// <summary>A named set of devices that nodes can be distributed over (message <c>DeviceConfigurationProto</c>, IR 11).</summary>
[ProtoContract]
public sealed class DeviceConfigurationProto : Extensible
{
    /// <summary>Name of the configuration.</summary>
    [ProtoMember(1)]
    public string? Name { get; set; }

    /// <summary>Number of devices.</summary>
    [ProtoMember(2)]
    public int? NumDevices { get; set; }

    /// <summary>Names of the devices; none, or one per device.</summary>
    [ProtoMember(3)]
    public List<string> Device { get; } = [];
}

/// <summary>Placement of one node under one configuration (message <c>NodeDeviceConfigurationProto</c>).</summary>
[ProtoContract]
public sealed class NodeDeviceConfigurationProto : Extensible
{
    /// <summary>Name of the <see cref="DeviceConfigurationProto"/> meant.</summary>
    [ProtoMember(1)]
    public string? ConfigurationId { get; set; }

    /// <summary>How the node's inputs and outputs are split over devices.</summary>
    [ProtoMember(2)]
    public List<ShardingSpecProto> ShardingSpec { get; } = [];

    /// <summary>Pipeline stage of the node.</summary>
    [ProtoMember(3)]
    public int? PipelineStage { get; set; }
}

/// <summary>How one tensor is split over devices (message <c>ShardingSpecProto</c>).</summary>
[ProtoContract]
public sealed class ShardingSpecProto : Extensible
{
    /// <summary>The tensor's name.</summary>
    [ProtoMember(1)]
    public string? TensorName { get; set; }

    /// <summary>Devices, or keys of <see cref="IndexToDeviceGroupMap"/>, in the order of the shards.</summary>
    [ProtoMember(2)]
    public List<long> Device { get; } = [];

    /// <summary>Groups of devices that hold the same shard.</summary>
    [ProtoMember(3)]
    public List<IntIntListEntryProto> IndexToDeviceGroupMap { get; } = [];

    /// <summary>The axes that are split.</summary>
    [ProtoMember(4)]
    public List<ShardedDimProto> ShardedDim { get; } = [];
}

/// <summary>How one axis is split (message <c>ShardedDimProto</c>).</summary>
[ProtoContract]
public sealed class ShardedDimProto : Extensible
{
    /// <summary>The axis, in [-rank, rank - 1].</summary>
    [ProtoMember(1)]
    public long? Axis { get; set; }

    /// <summary>Even splits of the consecutive parts of the axis.</summary>
    [ProtoMember(2)]
    public List<SimpleShardedDimProto> SimpleSharding { get; } = [];
}

/// <summary>
/// An even split of a number or a symbol of elements; assigning one clears the other (message <c>SimpleShardedDimProto</c>).
/// </summary>
[ProtoContract]
public sealed class SimpleShardedDimProto : Extensible
{
    private long? _dimValue;
    private string? _dimParam;

    /// <summary>The number of elements; null when symbolic.</summary>
    [ProtoMember(1)]
    public long? DimValue
    {
        get => _dimValue;
        set
        {
            _dimValue = value;
            if (value is not null)
                _dimParam = null;
        }
    }

    /// <summary>Name of a number of elements known only at run time; null when it is a number.</summary>
    [ProtoMember(2)]
    public string? DimParam
    {
        get => _dimParam;
        set
        {
            _dimParam = value;
            if (value is not null)
                _dimValue = null;
        }
    }

    /// <summary>Number of shards.</summary>
    [ProtoMember(3)]
    public long? NumShards { get; set; }
}

/// <summary>An integer key with a list of integers (message <c>IntIntListEntryProto</c>).</summary>
[ProtoContract]
public sealed class IntIntListEntryProto : Extensible
{
    /// <summary>The key.</summary>
    [ProtoMember(1)]
    public long? Key { get; set; }

    /// <summary>The values.</summary>
    [ProtoMember(2)]
    public List<long> Value { get; } = [];
}
