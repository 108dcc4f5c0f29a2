using System.Globalization;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Nesting;

/// <summary>
/// The files of packed operands: one for the high operands, and one for the low operands of all steps that reach the same number of bits,
/// so that each can come and go by itself. Where every weight has two levels, all low operands are in one file.
/// </summary>
internal static class OperandFiles
{
    /// <summary>External group of the high operands, and that of the low ones.</summary>
    public const string High = "high", Low = "low";

    /// <summary>External group of the low operands of the steps that reach a level.</summary>
    /// <param name="bits">Bits of the level.</param>
    public static string Step(int bits) => string.Create(CultureInfo.InvariantCulture, $"{Low}.{bits}");

    /// <summary>The groups that a model may have whose weights have some of these levels.</summary>
    public static IEnumerable<string> Possible(IReadOnlyCollection<NestedBits> weights) =>
    [
        High,
        Low,
        .. weights.All(static bits => bits.Count == 2) ? [] : weights.SelectMany(NestedLevels.Steps).Select(static step => Step(step.Bits))
            .Distinct(),
    ];

    /// <summary>Assigns all operands of a model to their files.</summary>
    public static void Assign(ModelProto model)
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
}
