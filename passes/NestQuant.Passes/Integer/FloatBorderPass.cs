using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Integer.ActivationQuantization;

namespace NestQuant.Passes.Integer;

/// <summary>
/// Keeps float what was left between DequantizeLinear and QuantizeLinear, which ONNX Runtime has rules of its own to fuse.
/// <code>
/// x = DequantizeLinear (q); p = AveragePool &lt;dilations = [2, 2]&gt; (x); y = QuantizeLinear (p, scale, zero_point)
/// x = DequantizeLinear (q); p = AveragePool &lt;dilations = [2, 2]&gt; (x); s = Sum (p); y = QuantizeLinear (s, scale, zero_point)
/// </code>
/// </summary>
/// <remarks>
/// What stays float does so for a reason: it has no integer form that is right, or somebody excluded it. ONNX Runtime fuses by operator
/// type and does not look at attributes. A sum of one operand is that operand, and no rule of ONNX Runtime takes it away or looks past it.
/// It is put in front of every QuantizeLinear of a value that is computed from nothing but dequantized ones, whatever operators compute it,
/// so that nothing here has to follow ONNX Runtime's list. The pass makes no decisions.
/// </remarks>
public sealed class FloatBorderPass : IGraphPass
{
    /// <inheritdoc/>
    public string Name => "float-borders";

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
                var border = new NodeProto { OpType = "Sum", Name = names.Next(value + "_border") };
                border.Input.Add(value);
                border.Output.Add(names.Next(value + "_float"));
                view.InsertBefore(quantizer, border);
                view.SetInput(quantizer, 0, border.Output[0]);
                changed = true;
            }
        }

        return new PassResult(changed);
    }

    /// <summary>The values that operators of ONNX compute from dequantized values alone, without those behind a border.</summary>
    private static HashSet<string> ComputedFromDequantized(GraphView view)
    {
        var dequantized = new HashSet<string>(StringComparer.Ordinal);
        var computed = new HashSet<string>(StringComparer.Ordinal);
        foreach (NodeProto node in view.Graph.Node)
        {
            if (node.Is("DequantizeLinear")) dequantized.UnionWith(node.Output);
            if (!node.IsDefaultDomain() || node.Input.Count == 0 || IsBorder(node)) continue;
            bool isComputed = IntegerRules.Activations(node).All(value => dequantized.Contains(value) || computed.Contains(value));
            if (isComputed) computed.UnionWith(node.Output);
        }

        return computed;
    }

    private static bool IsBorder(NodeProto node) => node.Is("Sum") && node.Input.Count == 1;
}
