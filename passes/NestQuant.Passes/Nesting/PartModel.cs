using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.RuntimeOps;
using NestQuant.RuntimeOps.Operators;

namespace NestQuant.Passes.Nesting;

/// <summary>
/// The part model: a compiled model without its low operands, whose precision input is h by default. It is what a device can run
/// before, or without, receiving the low file.
/// </summary>
public static class PartModel
{
    /// <summary>Derives the part model; <paramref name="model"/> stays as it is, and tensor contents are shared, not copied.</summary>
    /// <returns>The part model, or null when the model has no nested weights.</returns>
    public static ModelProto? From(ModelProto model)
    {
        ArgumentNullException.ThrowIfNull(model);
        NodeProto[] nested = [.. model.AllNodes().Where(IsNested)];
        if (nested.Length == 0) return null;

        var low = nested.Select(static node => node.InputAt(LowInput(node))).ToHashSet(StringComparer.Ordinal);
        ModelProto part = model.Clone();
        List<TensorProto> initializers = part.MainGraph().Initializer;
        initializers.RemoveAll(tensor => low.Contains(tensor.Name));
        for (int i = 0; i < initializers.Count; i++) initializers[i] = AtPartPrecision(initializers[i], nested[0]);
        foreach (NodeProto node in part.AllNodes().Where(IsNested)) node.Input[LowInput(node)] = "";
        return part;
    }

    private static TensorProto AtPartPrecision(TensorProto tensor, NodeProto nested) => tensor.Name == PrecisionInput.Name
        ? TensorProto.FromInt32s(tensor.Name, [], [NestedOperator.BitsOf(nested).High])
        : tensor;

    /// <summary>Whether a node is one of the nested operators.</summary>
    public static bool IsNested(NodeProto node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.Domain == NestQuantOps.Domain && node.OpType is
            OperatorNames.NestedDequantizeLinear or OperatorNames.NestedConv or OperatorNames.NestedGemm or OperatorNames.NestedGroupNLConv
            or OperatorNames.NestedQLinearConv or OperatorNames.NestedQLinearGemm;
    }

    /// <summary>Position of the high operand among a nested operator's inputs; the low operand follows it.</summary>
    public static int HighInput(NodeProto node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.OpType == OperatorNames.NestedDequantizeLinear ? 0 : 3;
    }

    private static int LowInput(NodeProto node) => HighInput(node) + 1;
}
