using NestQuant.Onnx.Graph;

namespace NestQuant.Onnx.Validation;

/// <summary>Checks the attributes of a node: each name occurs once, and the value is in the field that the type names.</summary>
internal static class AttributeValidation
{
    /// <summary>Checks all attributes of a node.</summary>
    /// <exception cref="ModelException">A name occurs twice, or a value is missing or not of the declared type.</exception>
    public static void Verify(NodeProto node)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (AttributeProto attribute in node.Attribute)
        {
            if (!names.Add(attribute.Name))
                throw new ModelException($"{node.OpType} '{node.DisplayName()}' has two attributes '{attribute.Name}'");
            // A reference takes its value from the caller.
            if (string.IsNullOrEmpty(attribute.RefAttrName) && !IsSound(attribute))
                throw new ModelException(
                    $"Attribute '{attribute.Name}' of {node.OpType} '{node.DisplayName()}' says that it is of type "
                        + $"{attribute.Type}, but its value is not");
            if (attribute.SparseTensor is { } sparse) TensorValidation.Verify(sparse);
            attribute.SparseTensors.ForEach(TensorValidation.Verify);
        }
    }

    private static bool IsSound(AttributeProto attribute) => attribute.Type switch
    {
        // Writers may leave out a zero or an empty list or string, but not a message.
        AttributeType.Tensor => attribute.T is not null,
        AttributeType.Graph => attribute.G is not null,
        AttributeType.SparseTensor => attribute.SparseTensor is not null,
        AttributeType.TypeProto => attribute.Tp is not null,
        _ => attribute.Type != AttributeType.Undefined,
    } && Held(attribute).All(type => type == attribute.Type);

    private static IEnumerable<AttributeType> Held(AttributeProto attribute)
    {
        if (attribute.F is not null) yield return AttributeType.Float;
        if (attribute.I is not null) yield return AttributeType.Int;
        if (attribute.S is not null) yield return AttributeType.String;
        if (attribute.T is not null) yield return AttributeType.Tensor;
        if (attribute.G is not null) yield return AttributeType.Graph;
        if (attribute.Floats.Count > 0) yield return AttributeType.Floats;
        if (attribute.Ints.Count > 0) yield return AttributeType.Ints;
        if (attribute.Strings.Count > 0) yield return AttributeType.Strings;
        if (attribute.Tensors.Count > 0) yield return AttributeType.Tensors;
        if (attribute.Graphs.Count > 0) yield return AttributeType.Graphs;
        if (attribute.SparseTensor is not null) yield return AttributeType.SparseTensor;
        if (attribute.SparseTensors.Count > 0) yield return AttributeType.SparseTensors;
        if (attribute.Tp is not null) yield return AttributeType.TypeProto;
        if (attribute.TypeProtos.Count > 0) yield return AttributeType.TypeProtos;
    }
}
