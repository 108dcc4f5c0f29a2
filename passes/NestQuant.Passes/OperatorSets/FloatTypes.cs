using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.HalfPrecision;

namespace NestQuant.Passes.OperatorSets;

/// <summary>The floating types of a model.</summary>
internal static class FloatTypes
{
    /// <summary>
    /// Whether every floating value inside is a float32: no tensor, no declared value and no attribute says otherwise, but for inputs and
    /// outputs of 16 bits that are cast.
    /// </summary>
    public static bool AreFloat32Only(ModelProto model) =>
        !TensorWalk.Tensors(model).Select(static tensor => tensor.DataType).Concat(Declared(model)).Any(IsOther);

    private static IEnumerable<TensorDataType> Declared(ModelProto model)
    {
        GraphView main = GraphView.Of(model.MainGraph());
        var borders = new HalfBorders(main);
        foreach (ValueInfoProto value in main.Graph.Input)
            if (value.Type?.TensorType is { } tensor && !borders.IsOnlyWidened(value.Name)) yield return tensor.ElemType;
        foreach (NodeProto node in model.AllNodes().Where(node => !borders.IsOutputCast(node)))
            foreach (AttributeProto attribute in node.Attribute)
                if (attribute.Name is "to" or "dtype" && attribute.I is { } type) yield return (TensorDataType)type;
    }

    private static bool IsOther(TensorDataType type) =>
        type is TensorDataType.Double or TensorDataType.Float16 or TensorDataType.BFloat16;
}
