using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.OperatorSets;

/// <summary>
/// Attributes that are inputs from a version on, so that they can be computed.
/// <code>
/// y = Squeeze &lt;axes = [2, 3]&gt; (x)
/// y = Squeeze (x, axes)                with initializer axes
/// </code>
/// </summary>
/// <param name="moves">Names of attributes and positions of the inputs.</param>
/// <remarks>Integers become lists of one; numbers become scalars of the element type of the first input.</remarks>
internal class AttributesToInputs(params (string Attribute, int Input)[] moves) : UpgradeRule
{
    /// <inheritdoc/>
    public override string? WhyNot(NodeProto node, UpgradeScope scope)
    {
        foreach ((string name, _) in moves)
        {
            if (node.GetAttribute(name) is not { } attribute) continue;
            if (ToTensor(attribute, scope.FloatTypeOf(node.InputAt(0))) is not null) continue;
            return attribute.Type == AttributeType.Float
                ? $"its attribute '{name}' becomes an input of the type of '{node.InputAt(0)}', which the model does not declare"
                : $"its attribute '{name}' is of type {attribute.Type}";
        }

        return null;
    }

    /// <inheritdoc/>
    public override void Apply(NodeProto node, UpgradeScope scope)
    {
        foreach ((string name, int input) in moves)
        {
            if (node.GetAttribute(name) is not { } attribute) continue;
            UpgradeScope.SetInput(node, input, scope.Constant(name, ToTensor(attribute, scope.FloatTypeOf(node.InputAt(0)))!));
            node.Attribute.Remove(attribute);
        }
    }

    private static TensorProto? ToTensor(AttributeProto attribute, TensorDataType? type) => attribute.Type switch
    {
        AttributeType.Int => TensorProto.FromInt64s("", [1], [attribute.I ?? 0]),
        AttributeType.Ints => TensorProto.FromInt64s("", [attribute.Ints.Count], [.. attribute.Ints]),
        AttributeType.Floats => TensorProto.FromFloats("", [attribute.Floats.Count], [.. attribute.Floats]),
        AttributeType.Float => ScalarOf(attribute.F ?? 0, type),
        _ => null,
    };

    private static TensorProto? ScalarOf(float value, TensorDataType? type) => type switch
    {
        TensorDataType.Float => TensorProto.FromFloats("", [], [value]),
        TensorDataType.Double => TensorProto.FromBytes("", TensorDataType.Double, [], BitConverter.GetBytes((double)value)),
        TensorDataType.Float16 => TensorProto.FromBytes("", TensorDataType.Float16, [], BitConverter.GetBytes((Half)value)),
        _ => null,
    };
}
