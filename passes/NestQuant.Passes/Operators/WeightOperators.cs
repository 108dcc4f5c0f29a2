using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Operators;

/// <summary>The operators whose weights nest.</summary>
internal static class WeightOperators
{
    private const string Table = "Gather";

    private static readonly string[] Products = ["Conv", "ConvTranspose", "Gemm", "MatMul"];
    private static readonly string[] Recurrent = ["LSTM", "GRU", "RNN"];

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Products, Table, .. Recurrent];

    /// <summary>Whether the operator of a node is one of them, whatever the node reads.</summary>
    public static bool Include(NodeProto node) => node.IsDefaultDomain() && All.Contains(node.OpType);

    /// <summary>Whether a node multiplies by a weight once.</summary>
    public static bool IsProduct(NodeProto node) => node.IsDefaultDomain() && Products.Contains(node.OpType);

    /// <summary>Whether a node multiplies by weights in every step of a sequence.</summary>
    public static bool IsRecurrent(NodeProto node) => node.IsDefaultDomain() && Recurrent.Contains(node.OpType);

    /// <summary>Whether a node takes rows of a table.</summary>
    public static bool IsTable(NodeProto node) => node.Is(Table);
}
