using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.OperatorSets;

/// <summary>
/// What an upgrade has added to a main graph or to a local function, and what it remembers of it from version to version.
/// </summary>
/// <param name="Names">Free names of the model.</param>
/// <param name="HasFloat32Only">Whether no value of the model is of another floating type.</param>
internal sealed record UpgradeAdditions(UniqueNames Names, bool HasFloat32Only)
{
    /// <summary>Names of constants by type, shape and content.</summary>
    public Dictionary<(TensorDataType, string, string), string> Constants { get; } = [];

    /// <summary>Resize nodes that were Upsample.</summary>
    public HashSet<NodeProto> Enlarging { get; } = new(ReferenceEqualityComparer.Instance);
}
