using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Nesting;

/// <summary>What an Add that alone reads the result of a product adds to it.</summary>
/// <param name="Add">The Add.</param>
/// <param name="Position">The input of the Add that reads the bias.</param>
/// <param name="Bias">The bias; null where it is no float32 constant with one value per output channel.</param>
/// <param name="Reason">Why it is none.</param>
internal sealed record AddedBias(NodeProto Add, int Position, TensorProto? Bias, string? Reason)
{
    /// <summary>The bias of a product; null where no Add alone reads its result.</summary>
    /// <param name="product">The node that makes the product.</param>
    /// <param name="channels">Number of its output channels.</param>
    /// <param name="view">The graph that holds it.</param>
    public static AddedBias? Of(NodeProto product, long? channels, GraphView view)
    {
        string result = product.Output[0];
        if (view.SoleConsumer(result) is not { } add || !add.Is("Add") || add.Input.Count != 2) return null;
        int position = add.Input[0] == result ? 1 : 0;
        TensorProto? bias = view.Constant(add.Input[position]);
        string? reason = bias is not { DataType: TensorDataType.Float } ? "its other operand is not a float32 constant"
            : bias.Dims.Count != 1 || bias.ElementCount != channels ? "its other operand is not one value per output channel"
            : null;
        return new AddedBias(add, position, reason is null ? bias : null, reason);
    }

    /// <summary>The biases of several levels, one row each, with a constant added to every row.</summary>
    public static float[] PlusEveryRow(float[] rows, float[] bias) => [.. rows.Select((value, i) => value + bias[i % bias.Length])];
}
