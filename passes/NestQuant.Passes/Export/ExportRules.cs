using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Export;

/// <summary>The standard form of every operator that a compiled model can have. To add one: a line in the table.</summary>
internal static class ExportRules
{
    private static readonly Dictionary<(string Domain, string OpType), Action<NodeProto, ExportedGraph>> Rules = new()
    {
        [(NestQuantOps.Domain, OperatorNames.NestedConv)] = NestedExport.Conv,
        [(NestQuantOps.Domain, OperatorNames.NestedQLinearConv)] = NestedExport.Conv,
        [(NestQuantOps.Domain, OperatorNames.NestedGroupNLConv)] = NestedExport.Conv,
        [(NestQuantOps.Domain, OperatorNames.NestedGemm)] = NestedExport.Gemm,
        [(NestQuantOps.Domain, OperatorNames.NestedQLinearGemm)] = NestedExport.Gemm,
        [(NestQuantOps.Domain, OperatorNames.NestedFloatConv)] = NestedExport.Conv,
        [(NestQuantOps.Domain, OperatorNames.NestedFloatGemm)] = NestedExport.Gemm,
        [(NestQuantOps.Domain, OperatorNames.NestedDequantizeLinear)] = NestedExport.Dequantize,
        [(NestQuantOps.Domain, OperatorNames.NestedGather)] = GatherExport.Gather,
        [(NestQuantOps.Domain, OperatorNames.NestedBias)] = NestedExport.Bias,
        [(NestQuantOps.Domain, OperatorNames.GroupNLExpand)] = GroupNLExport.Expand,
        [(NestQuantOps.Domain, OperatorNames.QLinearLookup)] = LookupExport.Lookup,
        [(NestQuantOps.Domain, OperatorNames.QLinearResize)] = ChannelsLastExport.Resize,
        [(NestQuantOps.Domain, OperatorNames.NhwcDepthToSpace)] = ChannelsLastExport.DepthToSpace,
        [(NestQuantOps.Domain, OperatorNames.QLinearAffine)] = AffineExport.Affine,

        [(MicrosoftOperators.Domain, MicrosoftOperators.QLinearAdd)] = QLinearExport.Binary,
        [(MicrosoftOperators.Domain, MicrosoftOperators.QLinearMul)] = QLinearExport.Binary,
        [(MicrosoftOperators.Domain, MicrosoftOperators.QLinearConcat)] = QLinearExport.Concat,
        [(MicrosoftOperators.Domain, MicrosoftOperators.QLinearAveragePool)] = QLinearExport.Average,
        [(MicrosoftOperators.Domain, MicrosoftOperators.QLinearGlobalAveragePool)] = QLinearExport.Average,
        [(MicrosoftOperators.Domain, MicrosoftOperators.NhwcMaxPool)] = QLinearExport.MaxPool,
    };

    private static readonly HashSet<string> Movements = new(StringComparer.Ordinal)
    {
        "Concat", "DepthToSpace", "Flatten", "Identity", "MaxPool", "Pad", "Reshape", "Resize", "Slice", "Split", "Squeeze", "Transpose",
        "Unsqueeze",
    };

    /// <summary>Writes what stands for a node of the compiled graph.</summary>
    public static void Write(NodeProto node, ExportedGraph graph)
    {
        if (Rules.TryGetValue((node.Domain, node.OpType), out Action<NodeProto, ExportedGraph>? rule)) rule(node, graph);
        else if (node.Domain == NestQuantOps.Domain) throw NestedOperator.Damaged(node, "there is no such operator");
        else StandardExport.Copy(node, graph);
    }

    /// <summary>Whether a node only moves elements, so that uint8 results have the scale and zero point of its input.</summary>
    public static bool MovesBytes(NodeProto node) =>
        (node.IsDefaultDomain() && Movements.Contains(node.OpType))
            || (node.Domain == MicrosoftOperators.Domain && node.OpType == MicrosoftOperators.NhwcMaxPool)
            || node.Is(OperatorSet.QLinearResize)
            || node.Is(OperatorSet.NhwcDepthToSpace);
}
