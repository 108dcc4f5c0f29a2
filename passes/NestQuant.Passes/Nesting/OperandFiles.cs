using System.Globalization;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Nesting;

/// <summary>
/// The data files of a model with nested weights. One holds the high operands, and one the low operands of all steps that reach the same
/// number of bits, so that each can come and go by itself; where every weight has two levels, all low operands are in one file. One more
/// holds what else is large, since all part models share it.
/// </summary>
internal static class OperandFiles
{
    /// <summary>External group of the high operands, and that of the low ones.</summary>
    public const string High = "high", Low = "low";

    /// <summary>External group of other initializers.</summary>
    public const string Shared = "data";

    /// <summary>Smaller initializers take less room in all graphs than a reference to them in each, and the gap in the file.</summary>
    private const int SmallestShared = 256;

    /// <summary>External group of the low operands of the steps that reach a level.</summary>
    /// <param name="bits">Bits of the level.</param>
    public static string Step(int bits) => string.Create(CultureInfo.InvariantCulture, $"{Low}.{bits}");

    /// <summary>The groups that a model may have whose weights have some of these levels.</summary>
    public static IEnumerable<string> Possible(IReadOnlyCollection<NestedBits> weights) =>
    [
        Shared,
        High,
        Low,
        .. weights.All(static bits => bits.Count == 2) ? [] : weights.SelectMany(NestedLevels.Steps).Select(static step => Step(step.Bits))
            .Distinct(),
    ];

    /// <summary>Assigns all operands of a model to their files.</summary>
    public static void AssignOperands(ModelProto model)
    {
        NodeProto[] nested = [.. model.AllNodes().Where(SchemaNodes.IsNested)];
        var groups = new Dictionary<string, string>(StringComparer.Ordinal);
        bool isOneStep = Array.TrueForAll(nested, static node => NestedLevels.Of(node).Count == 2);
        foreach (NodeProto node in nested)
        {
            groups[node.InputAt(InputNames.WeightHigh)] = High;
            foreach ((int bits, string input) in NestedLevels.Steps(NestedLevels.Of(node)))
                groups[node.InputAt(input)] = isOneStep ? Low : Step(bits);
        }

        foreach (TensorProto tensor in model.MainGraph().Initializer)
            if (groups.TryGetValue(tensor.Name, out string? group)) tensor.ExternalGroup = group;
    }

    /// <summary>
    /// Assigns the other initializers of a model to the file that its part models share: those above a size, and all that lie in a file
    /// already.
    /// </summary>
    public static void AssignShared(ModelProto model)
    {
        foreach (TensorProto tensor in Initializers(model))
            if (tensor.ExternalGroup is null && (tensor.IsExternal || IsLarge(tensor))) tensor.ExternalGroup = Shared;
    }

    /// <summary>Takes what part models share out of its file, for a model that is one file.</summary>
    public static void InlineShared(ModelProto model)
    {
        foreach (TensorProto tensor in Initializers(model).Where(static tensor => tensor.ExternalGroup == Shared))
        {
            if (tensor.IsExternal) tensor.RawData = tensor.GetBytes();
            tensor.ExternalGroup = null;
        }
    }

    private static IEnumerable<TensorProto> Initializers(ModelProto model) =>
        GraphView.Of(model.MainGraph()).WithInner().SelectMany(static view => view.Graph.Initializer);

    private static bool IsLarge(TensorProto tensor) =>
        tensor.DataType.BitsPerElement() > 0 && tensor.ByteCount >= SmallestShared;
}
