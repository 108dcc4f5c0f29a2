using System.Diagnostics.CodeAnalysis;
using ProtoBuf;

namespace NestQuant.Onnx;

/// <summary>
/// Type of a value: exactly one of the kinds, the one assigned last (message <c>TypeProto</c>, a oneof).
/// </summary>
[ProtoContract]
[SuppressMessage("Design", "CA1034:Nested types should not be visible", Justification = "The schema nests these messages.")]
[SuppressMessage("Naming", "CA1716:Identifiers should not match keywords", Justification = "The schema's own names.")]
public sealed class TypeProto : Extensible
{
    private object? _value;

    /// <summary>A dense tensor; null when the type is of another kind.</summary>
    [ProtoMember(1)]
    public Tensor? TensorType
    {
        get => _value as Tensor;
        set => Assign(value);
    }

    /// <summary>A sequence; null when the type is of another kind.</summary>
    [ProtoMember(4)]
    public Sequence? SequenceType
    {
        get => _value as Sequence;
        set => Assign(value);
    }

    /// <summary>A map; null when the type is of another kind.</summary>
    [ProtoMember(5)]
    public Map? MapType
    {
        get => _value as Map;
        set => Assign(value);
    }

    /// <summary>Standard meaning of the value, for example <c>TENSOR</c> or <c>IMAGE</c>.</summary>
    [ProtoMember(6)]
    public string? Denotation { get; set; }

    /// <summary>An opaque type; null when the type is of another kind.</summary>
    [ProtoMember(7)]
    public Opaque? OpaqueType
    {
        get => _value as Opaque;
        set => Assign(value);
    }

    /// <summary>A sparse tensor; null when the type is of another kind.</summary>
    [ProtoMember(8)]
    public SparseTensor? SparseTensorType
    {
        get => _value as SparseTensor;
        set => Assign(value);
    }

    /// <summary>An optional value; null when the type is of another kind.</summary>
    [ProtoMember(9)]
    public Optional? OptionalType
    {
        get => _value as Optional;
        set => Assign(value);
    }

    private void Assign<T>(T? value)
        where T : class
    {
        // Clearing a kind that is not the current one must not clear the current one.
        if (value is not null || _value is T)
            _value = value;
    }

    /// <summary>Element type and shape of a dense tensor (message <c>TypeProto.Tensor</c>).</summary>
    [ProtoContract]
    public sealed class Tensor : Extensible
    {
        [ProtoMember(1)]
        private TensorDataType? _elemType;

        /// <summary>Type of the elements; <see cref="TensorDataType.Undefined"/> when absent.</summary>
        public TensorDataType ElemType
        {
            get => _elemType ?? TensorDataType.Undefined;
            set => _elemType = value;
        }

        /// <summary>The shape; null when the rank is not known.</summary>
        [ProtoMember(2)]
        public TensorShapeProto? Shape { get; set; }
    }

    /// <summary>Element type of a sequence (message <c>TypeProto.Sequence</c>).</summary>
    [ProtoContract]
    public sealed class Sequence : Extensible
    {
        /// <summary>Type of the elements.</summary>
        [ProtoMember(1)]
        public TypeProto? ElemType { get; set; }
    }

    /// <summary>Key and value type of a map (message <c>TypeProto.Map</c>).</summary>
    [ProtoContract]
    public sealed class Map : Extensible
    {
        [ProtoMember(1)]
        private TensorDataType? _keyType;

        /// <summary>Type of the keys, an integer type or String; <see cref="TensorDataType.Undefined"/> when absent.</summary>
        public TensorDataType KeyType
        {
            get => _keyType ?? TensorDataType.Undefined;
            set => _keyType = value;
        }

        /// <summary>Type of the values.</summary>
        [ProtoMember(2)]
        public TypeProto? ValueType { get; set; }
    }

    /// <summary>Element type of an optional value (message <c>TypeProto.Optional</c>).</summary>
    [ProtoContract]
    public sealed class Optional : Extensible
    {
        /// <summary>Type of the value when there is one.</summary>
        [ProtoMember(1)]
        public TypeProto? ElemType { get; set; }
    }

    /// <summary>Element type and shape of a sparse tensor (message <c>TypeProto.SparseTensor</c>).</summary>
    [ProtoContract]
    public sealed class SparseTensor : Extensible
    {
        [ProtoMember(1)]
        private TensorDataType? _elemType;

        /// <summary>Type of the elements; <see cref="TensorDataType.Undefined"/> when absent.</summary>
        public TensorDataType ElemType
        {
            get => _elemType ?? TensorDataType.Undefined;
            set => _elemType = value;
        }

        /// <summary>The shape; null when the rank is not known.</summary>
        [ProtoMember(2)]
        public TensorShapeProto? Shape { get; set; }
    }

    /// <summary>A type that only its domain understands (message <c>TypeProto.Opaque</c>, ONNX-ML).</summary>
    [ProtoContract]
    public sealed class Opaque : Extensible
    {
        /// <summary>Domain that defines the type.</summary>
        [ProtoMember(1)]
        public string? Domain { get; set; }

        /// <summary>Name of the type; a value without one is of some unnamed opaque type.</summary>
        [ProtoMember(2)]
        public string? Name { get; set; }
    }
}

/// <summary>Shape of a tensor (message <c>TensorShapeProto</c>); no dimensions means a scalar.</summary>
[ProtoContract]
[SuppressMessage("Design", "CA1034:Nested types should not be visible", Justification = "The schema nests these messages.")]
public sealed class TensorShapeProto : Extensible
{
    /// <summary>The dimensions, outermost first.</summary>
    [ProtoMember(1)]
    public List<Dimension> Dim { get; } = [];

    /// <summary>
    /// One dimension: a number, or a symbol, or unknown when neither is set; assigning one clears the other
    /// (message <c>TensorShapeProto.Dimension</c>, a oneof).
    /// </summary>
    [ProtoContract]
    public sealed class Dimension : Extensible
    {
        private long? _dimValue;
        private string? _dimParam;

        /// <summary>The size; null when symbolic or unknown.</summary>
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

        /// <summary>Name of a size known only at run time, for example <c>batch</c>; null when known or unnamed.</summary>
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

        /// <summary>Standard meaning of the dimension, for example <c>DATA_BATCH</c>.</summary>
        [ProtoMember(3)]
        public string? Denotation { get; set; }
    }
}
