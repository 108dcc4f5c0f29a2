using NestQuant.Compiler.Graph;
using NestQuant.Compiler.Onnx;

namespace NestQuant.Passes.Integer.Layout;

/// <summary>Constant inputs that hold one value per axis, or numbers of axes.</summary>
internal static class ConstantAxes
{
    /// <summary>The integers of a constant input of type int64 or int32; null where it is left out.</summary>
    public static long[]? Integers(NodeProto node, int input, GraphView view) => view.Constant(node.InputAt(input)) switch
    {
        { DataType: TensorDataType.Int64 } tensor => tensor.ToInt64s(),
        { DataType: TensorDataType.Int32 } tensor => Array.ConvertAll(tensor.ToInt32s(), static value => (long)value),
        _ => null,
    };

    /// <summary>Gives a node a new int64 constant at one of its inputs.</summary>
    public static void Set(NodeProto node, int input, long[] values, GraphView view, UniqueNames names)
    {
        TensorProto tensor = TensorProto.FromInt64s(names.Next(Wanted(node, input)), [values.Length], values);
        Set(node, input, tensor, view);
    }

    /// <summary>Gives a node a new float constant at one of its inputs.</summary>
    public static void Set(NodeProto node, int input, float[] values, GraphView view, UniqueNames names)
    {
        TensorProto tensor = TensorProto.FromFloats(names.Next(Wanted(node, input)), [values.Length], values);
        Set(node, input, tensor, view);
    }

    private static void Set(NodeProto node, int input, TensorProto tensor, GraphView view)
    {
        view.AddInitializer(tensor);
        while (node.Input.Count <= input) node.Input.Add("");
        node.Input[input] = tensor.Name;
    }

    private static string Wanted(NodeProto node, int input) => (node.InputAt(input) is { Length: > 0 } name ? name : node.DisplayName() + "_axes") + "_channels_last";
}
