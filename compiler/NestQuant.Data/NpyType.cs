using NestQuant.Onnx;

namespace NestQuant.Data;

/// <summary>Element types of a <c>.npy</c> array that have a counterpart in ONNX.</summary>
public enum NpyType
{
    /// <summary>One byte, 0 or 1 (<c>b1</c>).</summary>
    Boolean,

    /// <summary>Signed 8-bit integer (<c>i1</c>).</summary>
    Int8,

    /// <summary>Signed 16-bit integer (<c>i2</c>).</summary>
    Int16,

    /// <summary>Signed 32-bit integer (<c>i4</c>).</summary>
    Int32,

    /// <summary>Signed 64-bit integer (<c>i8</c>).</summary>
    Int64,

    /// <summary>Unsigned 8-bit integer (<c>u1</c>).</summary>
    UInt8,

    /// <summary>Unsigned 16-bit integer (<c>u2</c>).</summary>
    UInt16,

    /// <summary>Unsigned 32-bit integer (<c>u4</c>).</summary>
    UInt32,

    /// <summary>Unsigned 64-bit integer (<c>u8</c>).</summary>
    UInt64,

    /// <summary>IEEE 754 half precision (<c>f2</c>).</summary>
    Float16,

    /// <summary>IEEE 754 single precision (<c>f4</c>).</summary>
    Float32,

    /// <summary>IEEE 754 double precision (<c>f8</c>).</summary>
    Float64,
}

/// <summary>Facts about element types.</summary>
internal static class NpyTypes
{
    private static readonly (NpyType Type, string Code, int Size, TensorDataType Onnx)[] Table =
    [
        (NpyType.Boolean, "b1", 1, TensorDataType.Bool),
        (NpyType.Int8, "i1", 1, TensorDataType.Int8),
        (NpyType.Int16, "i2", 2, TensorDataType.Int16),
        (NpyType.Int32, "i4", 4, TensorDataType.Int32),
        (NpyType.Int64, "i8", 8, TensorDataType.Int64),
        (NpyType.UInt8, "u1", 1, TensorDataType.UInt8),
        (NpyType.UInt16, "u2", 2, TensorDataType.UInt16),
        (NpyType.UInt32, "u4", 4, TensorDataType.UInt32),
        (NpyType.UInt64, "u8", 8, TensorDataType.UInt64),
        (NpyType.Float16, "f2", 2, TensorDataType.Float16),
        (NpyType.Float32, "f4", 4, TensorDataType.Float),
        (NpyType.Float64, "f8", 8, TensorDataType.Double),
    ];

    /// <summary>Bytes of one element.</summary>
    public static int Size(this NpyType type) => Table[(int)type].Size;

    /// <summary>The letter and size that NumPy writes, for example <c>f4</c>.</summary>
    public static string Code(this NpyType type) => Table[(int)type].Code;

    /// <summary>The ONNX element type of the same values.</summary>
    public static TensorDataType ToOnnx(this NpyType type) => Table[(int)type].Onnx;

    /// <summary>Finds the type of a NumPy code such as <c>f4</c>, without its byte-order mark.</summary>
    public static bool TryParse(ReadOnlySpan<char> code, out NpyType type)
    {
        foreach (var row in Table)
        {
            if (code.SequenceEqual(row.Code))
            {
                type = row.Type;
                return true;
            }
        }

        type = default;
        return false;
    }

    /// <summary>Finds the type for an ONNX element type.</summary>
    public static bool TryFromOnnx(TensorDataType onnx, out NpyType type)
    {
        foreach (var row in Table)
        {
            if (row.Onnx == onnx)
            {
                type = row.Type;
                return true;
            }
        }

        type = default;
        return false;
    }
}
