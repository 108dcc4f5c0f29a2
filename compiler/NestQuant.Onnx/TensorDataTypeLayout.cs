using System.Globalization;

namespace NestQuant.Onnx;

/// <summary>The size of the elements of a <see cref="TensorDataType"/>, and the name of the type in ONNX's textual syntax.</summary>
public static class TensorDataTypeLayout
{
    private static readonly string[] Names =
    [
        "undefined", "float", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool", "float16", "double", "uint32",
        "uint64", "complex64", "complex128", "bfloat16", "float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "uint4",
        "int4", "float4e2m1", "float8e8m0", "uint2", "int2",
    ];

    /// <summary>Bits per element in <c>raw_data</c> and in external files; 0 for String, Undefined and unknown types.</summary>
    /// <param name="type">The element type.</param>
    /// <returns>2, 4, 8, 16, 32, 64, 128, or 0 when the type has no fixed size.</returns>
    public static int BitsPerElement(this TensorDataType type) => type switch
    {
        TensorDataType.UInt2 or TensorDataType.Int2 => 2,
        TensorDataType.UInt4 or TensorDataType.Int4 or TensorDataType.Float4E2M1 => 4,
        TensorDataType.UInt8 or TensorDataType.Int8 or TensorDataType.Bool or TensorDataType.Float8E4M3FN
            or TensorDataType.Float8E4M3FNUZ or TensorDataType.Float8E5M2 or TensorDataType.Float8E5M2FNUZ
            or TensorDataType.Float8E8M0 => 8,
        TensorDataType.UInt16 or TensorDataType.Int16 or TensorDataType.Float16 or TensorDataType.BFloat16 => 16,
        TensorDataType.Float or TensorDataType.Int32 or TensorDataType.UInt32 => 32,
        TensorDataType.Double or TensorDataType.Int64 or TensorDataType.UInt64 or TensorDataType.Complex64 => 64,
        TensorDataType.Complex128 => 128,
        _ => 0,
    };

    /// <summary>Name of the type in ONNX's textual syntax, for example <c>float16</c>.</summary>
    /// <param name="type">The element type.</param>
    /// <returns>The name; the number in decimal for a type that this schema does not know.</returns>
    public static string TextName(this TensorDataType type) =>
        (uint)type < (uint)Names.Length ? Names[(int)type] : ((int)type).ToString(CultureInfo.InvariantCulture);
}
