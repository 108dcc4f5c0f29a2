using System.Globalization;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Schema;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Interop;

/// <summary>A tensor input: its shape and, once its type and length are checked, its data.</summary>
internal readonly unsafe ref struct TensorView
{
    private readonly string _name;
    private readonly void* _data;
    private readonly ElementType _type;

    /// <summary>Wraps a tensor of ONNX Runtime's.</summary>
    /// <param name="name">The input's name, for messages.</param>
    /// <param name="type">Its element type.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="data">Its data, which lives as long as the run.</param>
    public TensorView(string name, ElementType type, ReadOnlySpan<long> shape, void* data)
    {
        _name = name;
        _type = type;
        _data = data;
        Shape = shape;
        Count = 1;
        foreach (long dimension in shape)
            Count = checked(Count * dimension);
    }

    /// <summary>The dimensions, none for a scalar.</summary>
    public ReadOnlySpan<long> Shape { get; }

    /// <summary>The number of elements.</summary>
    public long Count { get; }

    /// <summary>The address of the data.</summary>
    public nint Address => (nint)_data;

    /// <summary>The data as floats, of any number.</summary>
    public float* Floats() => (float*)Data(ElementType.Float);

    /// <summary>The data as floats, of a given number.</summary>
    public float* Floats(long count) => (float*)Counted(ElementType.Float, count);

    /// <summary>The data as floats, of a given shape.</summary>
    public float* Floats(ReadOnlySpan<long> shape) =>
        Shape.SequenceEqual(shape)
            ? Floats()
            : throw new OperatorException($"input '{_name}' has shape {Text(Shape)}, {Text(shape)} expected");

    /// <summary>The data as 32-bit integers, of a given number.</summary>
    public int* Int32s(long count) => (int*)Counted(ElementType.Int32, count);

    /// <summary>The data as integers of 32 or 64 bits, of any number.</summary>
    public IndexList Indices() => _type == ElementType.Int32
        ? new IndexList((int*)_data, null)
        : new IndexList(null, (long*)Data(ElementType.Int64));

    /// <summary>The data as bytes, of any number.</summary>
    public byte* Bytes() => (byte*)Data(ElementType.UInt8);

    /// <summary>The data as bytes, of a given number.</summary>
    public byte* Bytes(long count) => (byte*)Counted(ElementType.UInt8, count);

    /// <summary>Writes dimensions as [a, b, c].</summary>
    public static string Text(ReadOnlySpan<long> dimensions)
    {
        List<string> parts = [];
        foreach (long d in dimensions)
            parts.Add(d.ToString(CultureInfo.InvariantCulture));
        return $"[{string.Join(", ", parts)}]";
    }

    private void* Counted(ElementType type, long count)
    {
        void* data = Data(type);
        if (Count != count)
            throw new OperatorException(Invariant($"input '{_name}' has {Count} elements, {count} expected"));
        return data;
    }

    private void* Data(ElementType type)
    {
        if (_type != type)
            throw new OperatorException(Invariant($"input '{_name}' has element type {(int)_type}, {type} expected"));
        return _data;
    }
}
