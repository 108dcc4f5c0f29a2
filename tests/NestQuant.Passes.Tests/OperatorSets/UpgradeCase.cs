using NestQuant.Onnx;
using NestQuant.Passes.OperatorSets;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.OperatorSets;

/// <summary>A node of an operator in the form that a range of operator sets has for it, reading x, whose results are to stay.</summary>
/// <param name="Operator">The operator; the last node is of it.</param>
/// <param name="Text">The nodes, as <see cref="NodeText"/> reads them.</param>
/// <param name="First">First operator set with this form.</param>
/// <param name="Last">Last operator set with this form.</param>
internal sealed record UpgradeCase(
    string Operator, string Text, int First = OperatorSetUpgradePass.Oldest, int Last = OperatorSetUpgradePass.Newest - 1)
{
    /// <summary>Shape of x.</summary>
    public long[] Shape { get; init; } = [2, 3, 4, 6];

    /// <summary>Adds further nodes, with subgraphs, which text cannot say; they yield y.</summary>
    public Action<GraphBuilder>? Extend { get; init; }

    public override string ToString() => FormattableString.Invariant($"{Text} ({Operator} {First} to {Last}, x {string.Join('x', Shape)})");

    /// <summary>The model in one operator set.</summary>
    public ModelProto Build(int opset)
    {
        GraphBuilder graph = new GraphBuilder().Input("x", Shape).Nodes(Text);
        Extend?.Invoke(graph);
        return graph.Output([.. graph.Graph.Node[^1].Output.Where(static name => name.Length > 0)]).Model(opset);
    }
}
