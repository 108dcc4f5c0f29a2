using System.Numerics;
using System.Runtime.InteropServices;
using NestQuant.Onnx;

namespace NestQuant.Data;

/// <summary>An array in memory, as NumPy's <c>.npy</c> files store it: C order, little-endian.</summary>
public sealed class NpyArray
{
    private readonly byte[] _bytes;

    /// <summary>Wraps little-endian elements in C order; the bytes are not copied.</summary>
    /// <param name="type">Element type.</param>
    /// <param name="shape">Extents, each at least 0; empty for a scalar.</param>
    /// <param name="bytes">Exactly the bytes of the elements.</param>
    /// <exception cref="ArgumentException">The number of bytes is not that of the shape.</exception>
    public NpyArray(NpyType type, IReadOnlyList<long> shape, byte[] bytes)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(bytes);
        if (NpyHeader.CountOf(shape) * type.Size() != bytes.Length)
            throw new ArgumentException(
                $"{bytes.Length} bytes are not those of shape [{string.Join(", ", shape)}] of {type}", nameof(bytes));
        Type = type;
        Shape = shape;
        _bytes = bytes;
    }

    /// <summary>Element type.</summary>
    public NpyType Type { get; }

    /// <summary>Extents; empty for a scalar.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>Number of elements.</summary>
    public int Count => _bytes.Length / Type.Size();

    /// <summary>The elements in C order, little-endian.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>Copies values into a new array.</summary>
    /// <typeparam name="T">The type that <paramref name="type"/> names.</typeparam>
    public static NpyArray From<T>(NpyType type, IReadOnlyList<long> shape, ReadOnlySpan<T> values)
        where T : unmanaged => new(type, shape, MemoryMarshal.AsBytes(values).ToArray());

    /// <summary>Copies 32-bit floats into a new array.</summary>
    public static NpyArray FromFloats(IReadOnlyList<long> shape, ReadOnlySpan<float> values) => From(NpyType.Float32, shape, values);

    /// <summary>Copies 64-bit integers into a new array.</summary>
    public static NpyArray FromInt64s(IReadOnlyList<long> shape, ReadOnlySpan<long> values) => From(NpyType.Int64, shape, values);

    /// <summary>Reads a whole <c>.npy</c> file.</summary>
    /// <exception cref="ModelException">The file is missing, damaged or of an unsupported element type.</exception>
    public static NpyArray Read(string path)
    {
        using NpyReader reader = NpyReader.Open(path);
        return reader.ReadToEnd();
    }

    /// <summary>Writes the array as a <c>.npy</c> file, format version 1.</summary>
    public void Write(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        stream.Write(NpyHeader.Format(Type, Shape));
        stream.Write(_bytes);
    }

    /// <summary>Writes the array to a new or replaced file.</summary>
    public void Write(string path)
    {
        using FileStream stream = File.Create(path);
        Write(stream);
    }

    /// <summary>The same elements under another shape.</summary>
    /// <exception cref="ArgumentException">The shape has another number of elements.</exception>
    public NpyArray Reshape(IReadOnlyList<long> shape) => new(Type, shape, _bytes);

    /// <summary>The elements as 32-bit floats; a bool is 0 or 1.</summary>
    public float[] ToFloats() => MemoryMarshal.Cast<byte, float>(ConvertTo(NpyType.Float32).Bytes).ToArray();

    /// <summary>The elements as 64-bit integers.</summary>
    /// <exception cref="ModelException">The elements are floats, or one is out of range.</exception>
    public long[] ToInt64s() => MemoryMarshal.Cast<byte, long>(ConvertTo(NpyType.Int64).Bytes).ToArray();

    /// <summary>The same values in another type: this array itself when it has that type.</summary>
    /// <exception cref="ModelException">The conversion would lose a fraction or exceed the range of an integer type.</exception>
    public NpyArray ConvertTo(NpyType type)
    {
        if (type == Type)
            return this;
        if (Type >= NpyType.Float16 && type < NpyType.Float16)
            throw new ModelException($"{Type} values cannot be converted to {type} without loss: convert the array first");
        byte[] bytes = new byte[(long)Count * type.Size()];
        try
        {
            ConvertFrom(type, bytes);
        }
        catch (OverflowException e)
        {
            throw new ModelException($"a value of the {Type} array is out of the range of {type}", e);
        }

        return new NpyArray(type, Shape, bytes);
    }

    private void ConvertFrom(NpyType to, Span<byte> target)
    {
        switch (Type)
        {
            case NpyType.Int8: ConvertTo<sbyte>(to, target); break;
            case NpyType.Int16: ConvertTo<short>(to, target); break;
            case NpyType.Int32: ConvertTo<int>(to, target); break;
            case NpyType.Int64: ConvertTo<long>(to, target); break;
            case NpyType.UInt16: ConvertTo<ushort>(to, target); break;
            case NpyType.UInt32: ConvertTo<uint>(to, target); break;
            case NpyType.UInt64: ConvertTo<ulong>(to, target); break;
            case NpyType.Float16: ConvertTo<Half>(to, target); break;
            case NpyType.Float32: ConvertTo<float>(to, target); break;
            case NpyType.Float64: ConvertTo<double>(to, target); break;
            default: ConvertTo<byte>(to, target); break;
        }
    }

    private void ConvertTo<TFrom>(NpyType to, Span<byte> target)
        where TFrom : unmanaged, INumberBase<TFrom>
    {
        ReadOnlySpan<TFrom> source = MemoryMarshal.Cast<byte, TFrom>(_bytes);
        switch (to)
        {
            case NpyType.Int8: Convert(source, MemoryMarshal.Cast<byte, sbyte>(target)); break;
            case NpyType.Int16: Convert(source, MemoryMarshal.Cast<byte, short>(target)); break;
            case NpyType.Int32: Convert(source, MemoryMarshal.Cast<byte, int>(target)); break;
            case NpyType.Int64: Convert(source, MemoryMarshal.Cast<byte, long>(target)); break;
            case NpyType.UInt8: Convert(source, target); break;
            case NpyType.UInt16: Convert(source, MemoryMarshal.Cast<byte, ushort>(target)); break;
            case NpyType.UInt32: Convert(source, MemoryMarshal.Cast<byte, uint>(target)); break;
            case NpyType.UInt64: Convert(source, MemoryMarshal.Cast<byte, ulong>(target)); break;
            case NpyType.Float16: Convert(source, MemoryMarshal.Cast<byte, Half>(target)); break;
            case NpyType.Float32: Convert(source, MemoryMarshal.Cast<byte, float>(target)); break;
            case NpyType.Float64: Convert(source, MemoryMarshal.Cast<byte, double>(target)); break;
            default: ConvertToBoolean(source, target); break;
        }
    }

    private static void Convert<TFrom, TTo>(ReadOnlySpan<TFrom> source, Span<TTo> target)
        where TFrom : INumberBase<TFrom>
        where TTo : INumberBase<TTo>
    {
        for (int i = 0; i < source.Length; i++)
            target[i] = TTo.CreateChecked(source[i]);
    }

    private static void ConvertToBoolean<TFrom>(ReadOnlySpan<TFrom> source, Span<byte> target)
        where TFrom : INumberBase<TFrom>
    {
        for (int i = 0; i < source.Length; i++)
        {
            if (!TFrom.IsZero(source[i]) && source[i] != TFrom.One)
                throw new OverflowException();
            target[i] = TFrom.IsZero(source[i]) ? (byte)0 : (byte)1;
        }
    }
}
