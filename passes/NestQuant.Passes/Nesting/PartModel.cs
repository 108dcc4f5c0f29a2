using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Nesting;

/// <summary>
/// Part models: a compiled model without the low operands of the steps above a precision, which is what its precision input is by default.
/// They are what a device can run before, or without, receiving the files of these steps.
/// </summary>
internal static class PartModel
{
    /// <summary>
    /// Derives the part model of the lowest precision, without any low operand; <paramref name="model"/> stays as it is, and tensor
    /// contents are shared, not copied.
    /// </summary>
    /// <returns>The part model, or null when the model has no nested weights.</returns>
    public static ModelProto? From(ModelProto model)
    {
        ArgumentNullException.ThrowIfNull(model);
        NestedBits[] weights = [.. model.AllNodes().Where(SchemaNodes.IsNested).Select(NestedLevels.Of)];
        return weights.Length == 0 ? null : From(model, weights.Min(static bits => bits.High));
    }

    /// <summary>Derives the part model of a precision, which has the steps that reach a level not above it.</summary>
    public static ModelProto From(ModelProto model, int precision)
    {
        var above = new HashSet<string>(StringComparer.Ordinal);
        ModelProto part = model.Clone();
        foreach (NodeProto node in part.AllNodes().Where(SchemaNodes.IsNested))
        {
            foreach ((int bits, string input) in NestedLevels.Steps(NestedLevels.Of(node)))
            {
                if (bits <= precision || node.InputAt(input) is not { Length: > 0 } low) continue;
                above.Add(low);
                node.Input[node.PositionOf(input)] = "";
            }

            while (node.Input is [.., ""]) node.Input.RemoveAt(node.Input.Count - 1);
        }

        List<TensorProto> initializers = part.MainGraph().Initializer;
        initializers.RemoveAll(tensor => above.Contains(tensor.Name));
        int selector = initializers.FindIndex(static tensor => tensor.Name == PrecisionInput.Name);
        if (selector >= 0) initializers[selector] = TensorProto.FromInt32s(PrecisionInput.Name, [], [precision]);
        return part;
    }

    /// <summary>The precisions between the lowest and the highest that have a part model: none where every weight has two levels.</summary>
    /// <remarks>The low operands of two levels are in one file, which a device has or has not.</remarks>
    public static IReadOnlyList<int> Intermediate(IReadOnlyCollection<NestedBits> weights) => weights.All(static bits => bits.Count == 2)
        ? []
        : [.. weights.SelectMany(static bits => bits.Levels).Distinct().Order().Skip(1).SkipLast(1)];
}
