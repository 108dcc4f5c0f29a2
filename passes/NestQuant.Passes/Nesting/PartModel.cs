using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Nesting;

/// <summary>
/// The part model: a compiled model without its low operands, whose precision input is h by default, the lowest where weights differ. It is
/// what a device can run before, or without, receiving the low file.
/// </summary>
internal static class PartModel
{
    /// <summary>Derives the part model; <paramref name="model"/> stays as it is, and tensor contents are shared, not copied.</summary>
    /// <returns>The part model, or null when the model has no nested weights.</returns>
    public static ModelProto? From(ModelProto model)
    {
        ArgumentNullException.ThrowIfNull(model);
        NodeProto[] nested = [.. model.AllNodes().Where(SchemaNodes.IsNested)];
        if (nested.Length == 0) return null;

        var low = nested.Select(static node => node.InputAt(InputNames.WeightLow)).ToHashSet(StringComparer.Ordinal);
        ModelProto part = model.Clone();
        List<TensorProto> initializers = part.MainGraph().Initializer;
        initializers.RemoveAll(tensor => low.Contains(tensor.Name));
        // The lowest h is below every n, so that no weight needs its low operand.
        int lowest = nested.Min(static node => NestedLevels.Of(node).High);
        int selector = initializers.FindIndex(static tensor => tensor.Name == PrecisionInput.Name);
        if (selector >= 0) initializers[selector] = TensorProto.FromInt32s(PrecisionInput.Name, [], [lowest]);
        foreach (NodeProto node in part.AllNodes().Where(SchemaNodes.IsNested)) node.Input[node.PositionOf(InputNames.WeightLow)] = "";
        return part;
    }
}
