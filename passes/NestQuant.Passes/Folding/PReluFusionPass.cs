using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.Folding;

/// <summary>
/// Turns what exporters write for a leaky activation into one node.
/// <code>
/// n = Neg (x); m = Relu (n); s = Mul (m, slope); p = Relu (x); y = Sub (p, s)          m = Mul (x, a); y = Max (x, m), 0 &lt;= a &lt;= 1
/// y = PRelu (x, slope)                                                                 y = LeakyRelu &lt;alpha = a&gt; (x)
/// </code>
/// </summary>
/// <remarks>
/// Any combination of Relu, LeakyRelu, Neg, Abs, Mul and Div by constants, Add, Sub, Max and Min of one value that is that value where it
/// is positive. A result differs by the roundings of the steps that go.
/// </remarks>
public sealed class PReluFusionPass : IGraphPass
{
    /// <summary>First operator set whose PRelu broadcasts its slope.</summary>
    private const long FirstOpset = 9;

    /// <inheritdoc/>
    public string Name => "prelu-fusion";

    /// <inheritdoc/>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Model.OpsetVersion() < FirstOpset) return new PassResult(false);
        var names = new UniqueNames(context.Model);
        bool changed = false;
        foreach (GraphView view in GraphView.Of(context.Model.MainGraph()).WithInner())
        {
            var functions = new Dictionary<string, TwoSlopes>(StringComparer.Ordinal);
            var extents = new ValueExtents(view);
            foreach (NodeProto node in view.Graph.Node.ToArray())
            {
                if (node.Output.Count != 1 || !node.IsDefaultDomain() || Of(node, functions, view, extents) is not { } function) continue;
                functions[node.Output[0]] = function;
                // What a single node computes is in its simplest form already.
                bool isCombined = node.Input.Count == 2 && node.Input.TrueForAll(input => view.Constant(input) is null);
                if (!isCombined || !function.IsFloat || !Array.TrueForAll(function.Positive, static factor => factor == 1)) continue;
                view.Replace(node, Fused(node, function, view, names));
                context.Decisions.Rewritten(Name, node.DisplayName(), node.OpType);
                changed = true;
            }
        }

        if (changed) DeadCode.Remove(context.Model.MainGraph());
        return new PassResult(changed);
    }

    private static TwoSlopes? Of(NodeProto node, Dictionary<string, TwoSlopes> functions, GraphView view, ValueExtents extents)
    {
        TwoSlopes Function(string value) => functions.GetValueOrDefault(value) ?? TwoSlopes.Identity(value);

        if (node.Input.Count == 1) return Function(node.Input[0]).Then(node);
        if (ChannelFunction.Of(node, view, rank: null) is { } arithmetic)
        {
            if (arithmetic.WhyBroadcast(extents) is not null) return null;
            string constant = node.Input[node.Input[0] == arithmetic.Operand ? 1 : 0];
            return Function(arithmetic.Operand).Times(arithmetic, [.. view.Constant(constant)!.Dims]);
        }

        if (node.Input.Count != 2 || node.Input.Exists(input => view.Constant(input) is not null)) return null;
        return Function(node.Input[0]).With(node, Function(node.Input[1]));
    }

    private static NodeProto Fused(NodeProto node, TwoSlopes function, GraphView view, UniqueNames names)
    {
        var fused = new NodeProto { OpType = function.Shape.Length == 0 ? "LeakyRelu" : "PRelu", Name = node.Name };
        fused.Input.Add(function.Source);
        fused.Output.Add(node.Output[0]);
        if (function.Shape.Length == 0)
        {
            fused.Attribute.Add(AttributeProto.Float("alpha", (float)function.Negative[0]));
            return fused;
        }

        float[] slopes = Array.ConvertAll(function.Negative, static slope => (float)slope);
        TensorProto tensor = TensorProto.FromFloats(names.Next(node.Output[0] + "_slope"), function.Shape, slopes);
        view.AddInitializer(tensor);
        fused.Input.Add(tensor.Name);
        return fused;
    }
}
