using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.HalfPrecision;

/// <summary>Types of 16-bit floats that a model declares for values and that attributes name.</summary>
internal static class DeclaredTypes
{
    private static readonly HashSet<string> TypeAttributes = new(StringComparer.Ordinal)
    {
        "to", "dtype", "output_dtype", "output_datatype", "softmax_precision", "stash_type",
    };

    /// <summary>The 16-bit types that occur anywhere in a model.</summary>
    public static HashSet<TensorDataType> HalvesOf(ModelProto model)
    {
        IEnumerable<TensorDataType> types = TensorWalk.Tensors(model).Select(static tensor => tensor.DataType)
            .Concat(model.MainGraph().Input.Concat(model.MainGraph().Output).Select(static value => ElementType(value.Type)))
            .Concat(model.AllNodes().SelectMany(static node => node.Attribute).Where(NamesType)
                .Select(static attribute => (TensorDataType)(attribute.I ?? 0)));
        return [.. types.Where(HalfTensor.IsHalf)];
    }

    /// <summary>Whether the value of an attribute is a type of elements.</summary>
    public static bool NamesType(AttributeProto attribute) => TypeAttributes.Contains(attribute.Name);

    /// <summary>The type of the elements of a tensor, also inside a sequence or an optional; undefined where there is none.</summary>
    public static TensorDataType ElementType(TypeProto? type) =>
        type?.TensorType?.ElemType ?? type?.SparseTensorType?.ElemType
            ?? ((type?.SequenceType?.ElemType ?? type?.OptionalType?.ElemType) is { } inner ? ElementType(inner) : default);

    /// <summary>Makes a 16-bit type float32.</summary>
    public static void Widen(TypeProto? type)
    {
        if (type is null) return;
        if (type.TensorType is { } tensor && HalfTensor.IsHalf(tensor.ElemType)) tensor.ElemType = TensorDataType.Float;
        if (type.SparseTensorType is { } sparse && HalfTensor.IsHalf(sparse.ElemType)) sparse.ElemType = TensorDataType.Float;
        Widen(type.SequenceType?.ElemType);
        Widen(type.OptionalType?.ElemType);
    }

    /// <summary>Makes the 16-bit types that the attributes of a node name float32.</summary>
    public static bool Widen(NodeProto node)
    {
        bool changed = false;
        foreach (AttributeProto attribute in node.Attribute)
        {
            Widen(attribute.Tp);
            attribute.TypeProtos.ForEach(Widen);
            if (!NamesType(attribute) || !HalfTensor.IsHalf((TensorDataType)(attribute.I ?? 0))) continue;
            attribute.I = (long)TensorDataType.Float;
            changed = true;
        }

        return changed;
    }
}
