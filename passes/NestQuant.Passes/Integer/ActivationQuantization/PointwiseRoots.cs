using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Integer.Operators;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.Integer.ActivationQuantization;

/// <summary>
/// The values that are elementwise functions of one other value, by any number of nodes, so that together they become one table: the gate
/// and the product of <c>x * Sigmoid(x)</c>, both operands of <c>Max(x, LeakyRelu(x))</c>, the steps of HardSwish written out.
/// </summary>
internal sealed class PointwiseRoots
{
    private readonly Dictionary<string, string> _roots = new(StringComparer.Ordinal);

    /// <summary>Looks at all nodes of a graph, in order.</summary>
    public PointwiseRoots(GraphView view)
    {
        foreach (NodeProto node in view.Graph.Node)
        {
            if (node.Output.Count != 1 || !PointwiseFunctions.Is(node) || IsBound(node, view)) continue;
            ILookup<bool, string> inputs = node.Input.Where(static input => input.Length > 0)
                .ToLookup(input => view.Constant(input) is not null);
            string[] roots = [.. inputs[false].Select(Of).Distinct(StringComparer.Ordinal)];
            bool areScalars = inputs[true].All(input => ScalarConstant.Float(view, input) is not null);
            if (roots.Length == 1 && areScalars) _roots[node.Output[0]] = roots[0];
        }
    }

    /// <summary>The value that a value is a function of; itself where it is none.</summary>
    public string Of(string value) => _roots.GetValueOrDefault(value, value);

    /// <summary>Whether a node computes a function of one value.</summary>
    public bool IsFunction(NodeProto node) => node.Output.Count == 1 && _roots.ContainsKey(node.Output[0]);

    /// <summary>Whether a node is a Relu or Clip that becomes the bounds of what alone it reads.</summary>
    private bool IsBound(NodeProto node, GraphView view) =>
        IntegerRules.IsClamp(node)
            && view.Producer(node.InputAt(0)) is { } producer
            && !IsFunction(producer)
            && IntegerRules.TakesClamp(producer, view)
            && view.SoleConsumer(node.Input[0]) is not null;
}
