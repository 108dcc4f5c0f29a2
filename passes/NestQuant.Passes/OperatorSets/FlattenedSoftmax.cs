using NestQuant.Onnx;

namespace NestQuant.Passes.OperatorSets;

/// <summary>
/// Softmax, LogSoftmax and Hardmax: before operator set 13 they make a matrix of their input, with the axes from <c>axis</c> on as its
/// columns, and work on its rows. Later ones work on one axis, which is the same where it is the last.
/// <code>
/// y = Softmax &lt;axis = 1&gt; (x)
/// y = Softmax &lt;axis = -1&gt; (x)                                                   where x is a matrix
/// y = Reshape (Softmax &lt;axis = -1&gt; (Flatten &lt;axis = 1&gt; (x)), Shape (x))     otherwise
/// </code>
/// </summary>
internal sealed class FlattenedSoftmax : UpgradeRule
{
    private const string Axis = "axis";
    private const int OldDefault = 1, Last = -1;

    /// <inheritdoc/>
    public override void Apply(NodeProto node, UpgradeScope scope)
    {
        long axis = node.GetInt(Axis, OldDefault);
        string input = node.Input[0];
        if (axis != Last && axis + 1 != scope.RankOf(input))
        {
            string shape = scope.Insert(node, "Shape", [input]);
            node.Input[0] = scope.Insert(node, "Flatten", [input], AttributeProto.Int(Axis, axis));
            scope.Append(node, "Reshape", shape);
        }

        node.SetAttribute(AttributeProto.Int(Axis, Last));
    }
}
