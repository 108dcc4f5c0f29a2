using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Integer.ActivationQuantization;

namespace NestQuant.Passes.Integer;

/// <summary>
/// Keeps operators that were left in float between DequantizeLinear and QuantizeLinear in float: ONNX Runtime would fuse some of them.
/// <code>
/// x = DequantizeLinear (q); p = AveragePool &lt;dilations = [2, 2]&gt; (x); y = QuantizeLinear (p, scale, zero_point)
/// x = DequantizeLinear (q); p = AveragePool &lt;dilations = [2, 2]&gt; (x); s = Sum (p); y = QuantizeLinear (s, scale, zero_point)
/// </code>
/// </summary>
/// <remarks>
/// An operator stays float for a reason: it has no correct integer form, or the user excluded it. ONNX Runtime fuses by operator type and
/// does not look at attributes. A Sum of one operand is that operand, and no rule of ONNX Runtime removes it or matches across it. One is
/// inserted before every QuantizeLinear whose value is computed from dequantized values alone, by whatever operators, so that ONNX
/// Runtime's list of rules need not be repeated here. The pass logs no decisions.
/// </remarks>
public sealed class FloatBoundaryPass : IGraphPass
{
    /// <inheritdoc/>
    public string Name => "float-boundaries";

    /// <inheritdoc/>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var names = new UniqueNames(context.Model);
        bool changed = false;
        foreach (GraphView view in GraphView.Of(context.Model.MainGraph()).WithInner())
        {
            IReadOnlySet<string> computed = ComputedFromDequantized(view);
            NodeProto[] quantizers = [.. view.Graph.Node.Where(node => node.Is("QuantizeLinear") && computed.Contains(node.InputAt(0)))];
            foreach (NodeProto quantizer in quantizers)
            {
                string value = quantizer.Input[0];
                var boundary = new NodeProto { OpType = "Sum", Name = names.Next(value + "_border") };
                boundary.Input.Add(value);
                boundary.Output.Add(names.Next(value + "_float"));
                view.InsertBefore(quantizer, boundary);
                view.SetInput(quantizer, 0, boundary.Output[0]);
                changed = true;
            }
        }

        return new PassResult(changed);
    }

    /// <summary>The values that standard ONNX operators compute from dequantized values alone, without those after a boundary.</summary>
    private static HashSet<string> ComputedFromDequantized(GraphView view)
    {
        var dequantized = new HashSet<string>(StringComparer.Ordinal);
        var computed = new HashSet<string>(StringComparer.Ordinal);
        foreach (NodeProto node in view.Graph.Node)
        {
            if (node.Is("DequantizeLinear")) dequantized.UnionWith(node.Output);
            if (!node.IsDefaultDomain() || node.Input.Count == 0 || IsBoundary(node)) continue;
            bool isComputed = IntegerRules.Operands(node).All(value => dequantized.Contains(value) || computed.Contains(value));
            if (isComputed) computed.UnionWith(node.Output);
        }

        return computed;
    }

    private static bool IsBoundary(NodeProto node) => node.Is("Sum") && node.Input.Count == 1;
}
