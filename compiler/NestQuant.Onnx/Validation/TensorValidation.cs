using System.Globalization;

namespace NestQuant.Onnx.Validation;

/// <summary>Checks that the type, shape and content of tensors match. External content is not read: it may be absent.</summary>
internal static class TensorValidation
{
    /// <summary>Checks one tensor.</summary>
    /// <exception cref="ModelException">Its type is unknown, its shape impossible, or its content of another type or size.</exception>
    public static void Verify(TensorProto tensor)
    {
        bool isString = tensor.DataType == TensorDataType.String;
        if (!isString && tensor.DataType.BitsPerElement() == 0)
            throw new ModelException($"Tensor '{tensor.Name}' has the unknown element type {tensor.DataType.TextName()}.");
        long needed = isString ? tensor.ElementCount : tensor.ByteCount;
        (string Field, long Count)[] stored = [.. Fields(tensor).Where(static field => field.Count > 0)];
        if (tensor.IsExternal)
        {
            if (isString || stored.Length > 0 || tensor.RawData is not null)
                throw new ModelException(
                    $"Tensor '{tensor.Name}' is external, but "
                        + $"{(isString ? "holds strings, which cannot be" : "has content of its own too")}.");
            return;
        }

        if (tensor.RawData is { } raw)
        {
            if (isString || stored.Length > 0)
                throw new ModelException(
                    $"Tensor '{tensor.Name}' has raw content "
                        + $"{(isString ? "although its elements are strings" : $"and {stored[0].Field} too")}.");
            tensor.RequireByteCount(raw.Length);
            return;
        }

        string own = FieldOf(tensor.DataType);
        if (Array.Find(stored, field => field.Field != own) is { Field: { } other })
            throw new ModelException(
                $"Tensor '{tensor.Name}' of type {tensor.DataType.TextName()} has content in {other}; it belongs in {own}.");
        long count = stored.Length == 0 ? 0 : stored[0].Count;
        if (isString && count != needed)
            throw new ModelException(
                $"Tensor '{tensor.Name}' holds {Text(count)} strings, but its shape [{string.Join(",", tensor.Dims)}] needs "
                    + $"{Text(needed)}.");
        if (!isString)
            tensor.RequireByteCount(tensor.TypedByteCount);
    }

    /// <summary>Checks a sparse tensor, beyond its values and indices, which are checked as tensors.</summary>
    /// <exception cref="ModelException">It has no values or indices, or they do not match.</exception>
    public static void Verify(SparseTensorProto sparse)
    {
        if (sparse.Values is not { } values || sparse.Indices is not { } indices)
            throw new ModelException($"Sparse tensor '{sparse.Values?.Name}' has no {(sparse.Values is null ? "values" : "indices")}.");
        var dense = new TensorProto { Name = values.Name, DataType = values.DataType };
        dense.Dims.AddRange(sparse.Dims);
        bool fits = values.Dims.Count == 1 && values.Dims[0] <= dense.ElementCount && indices.DataType == TensorDataType.Int64
            && (
                indices.Dims is [var length]
                    ? length == values.Dims[0]
                    : indices.Dims is [var rows, var rank] && rows == values.Dims[0] && rank == sparse.Dims.Count);
        if (!fits)
            throw new ModelException(
                $"The values and indices of sparse tensor '{values.Name}' do not fit each other or its shape "
                    + $"[{string.Join(",", sparse.Dims)}].");
    }

    private static (string Field, long Count)[] Fields(TensorProto tensor) =>
    [
        ("float_data", tensor.FloatData.Count), ("int32_data", tensor.Int32Data.Count), ("string_data", tensor.StringData.Count),
        ("int64_data", tensor.Int64Data.Count), ("double_data", tensor.DoubleData.Count), ("uint64_data", tensor.Uint64Data.Count),
    ];

    private static string FieldOf(TensorDataType type) => type switch
    {
        TensorDataType.Float or TensorDataType.Complex64 => "float_data",
        TensorDataType.Double or TensorDataType.Complex128 => "double_data",
        TensorDataType.Int64 => "int64_data",
        TensorDataType.UInt64 or TensorDataType.UInt32 => "uint64_data",
        TensorDataType.String => "string_data",
        _ => "int32_data",
    };

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
