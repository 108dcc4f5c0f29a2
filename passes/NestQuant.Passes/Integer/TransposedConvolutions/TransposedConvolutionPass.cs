using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Integer.Values;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.Integer.TransposedConvolutions;

/// <summary>
/// Turns transposed convolutions of quantized activations into ordinary ones, which there are integer kernels for, and interleaves their
/// quantized results.
/// <code>
/// y = QuantizeLinear (Relu (ConvTranspose &lt;strides = [2, 2]&gt; (x, W, B)))                   x: from DequantizeLinear
/// p = QuantizeLinear (Relu (Conv (x, W', B'))); y = DepthToSpace &lt;blocksize = 2&gt; (p)
/// </code>
/// A Slice after it where the results do not start with the first phase or end with the last.
/// </summary>
/// <remarks>
/// After activations are quantized, and only where the result is: interleaving floats costs more time than integers save.
/// </remarks>
public sealed class TransposedConvolutionPass : IGraphPass
{
    private readonly WeightOptions _weights;

    /// <summary>Creates the pass.</summary>
    /// <param name="weights">Which weights will be nested.</param>
    /// <exception cref="ArgumentException">The options contradict each other.</exception>
    public TransposedConvolutionPass(WeightOptions weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        weights.Verify();
        _weights = weights;
    }

    /// <inheritdoc/>
    public string Name => "transposed-convolutions";

    /// <inheritdoc/>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        GraphView main = GraphView.Of(context.Model.MainGraph());
        if (!main.Graph.Node.Exists(static node => node.Is("ConvTranspose"))) return new PassResult(false);
        var names = new UniqueNames(context.Model);
        bool changed = false;
        foreach (NestingCandidate candidate in NestingCandidates.Find(main, _weights, context.Find<GuardedActivations>()))
        {
            NodeProto node = candidate.Node;
            if (!node.Is("ConvTranspose") || !ReferenceEquals(candidate.View, main) || candidate.Reason is not null) continue;
            // Where the input is float, the pass that quantizes activations has said why.
            if (DequantizedActivation.Of(main, node.InputAt(0)) is null) continue;
            string? reason = Rewrite(candidate, context.Model, names, out PhaseConvolution? phases);
            if (reason is not null) context.Decisions.Kept(Name, node.DisplayName(), node.OpType, reason);
            else context.Decisions.Rewritten(Name, node.DisplayName(), node.OpType, note: NoteOf(phases!));
            changed |= reason is null;
        }

        if (changed) DeadCode.Remove(main.Graph);
        return new PassResult(changed);
    }

    private string? Rewrite(NestingCandidate candidate, ModelProto model, UniqueNames names, out PhaseConvolution? phases)
    {
        phases = null;
        NodeProto node = candidate.Node;
        GraphView view = candidate.View;
        if (IntegerForm.WhyFloat(candidate, model.OpsetVersion()) is { } isFloat) return isFloat;
        if (QuantizerOf(node, view) is not { } quantizer) return "its result is not quantized, and floats are interleaved slowly";
        if (PhaseConvolution.Find(candidate, _weights, out phases) is { } reason) return reason;

        NodeProto conv = phases!.ToConv();
        TensorProto weight = phases.Weight(names.Next(node.Input[1] + "_phases"));
        view.AddInitializer(weight);
        conv.Input.AddRange([node.Input[0], weight.Name]);
        if (node.InputAt(2).Length > 0 && phases.Bias(names.Next(node.Input[2] + "_phases")) is { } bias)
        {
            view.AddInitializer(bias);
            conv.Input.Add(bias.Name);
        }

        conv.Output.Add(node.Output[0]);
        view.Replace(node, conv);
        Interleave(quantizer, phases, view, names);
        return null;
    }

    /// <summary>
    /// The only reader of a ConvTranspose's result, or of the Relu or Clip after it, if it makes uint8 with parameters per tensor; else
    /// null.
    /// </summary>
    private static NodeProto? QuantizerOf(NodeProto node, GraphView view)
    {
        NodeProto last = node;
        while (!view.IsOutput(last.Output[0]) && view.Consumers(last.Output[0]) is [var reader])
        {
            if (reader.Is("QuantizeLinear")) return QuantizationParameters.Of(reader, view) is null ? null : reader;
            if (last != node || !QuantizedClamp.IsCandidate(reader) || reader.InputAt(0) != last.Output[0]) return null;
            last = reader;
        }

        return null;
    }

    /// <summary>Puts DepthToSpace, and Slice where it is needed, between a QuantizeLinear and its readers.</summary>
    private static void Interleave(NodeProto quantizer, PhaseConvolution phases, GraphView view, UniqueNames names)
    {
        if (phases.Block == 1) return;
        string result = quantizer.Output[0], separate = names.Next(result + "_phases");
        NodeProto quantize = Node("QuantizeLinear", quantizer.Name, [.. quantizer.Input], separate);
        quantize.Attribute.AddRange(quantizer.Attribute);
        bool isCropped = phases.Axes.Any(static axis => axis.CropBegin > 0 || axis.CropEnd > 0);
        string interleaved = isCropped ? names.Next(result + "_interleaved") : result;
        NodeProto interleave = Node("DepthToSpace", names.Next(result + "_interleave"), [separate], interleaved);
        interleave.Attribute.Add(AttributeProto.Int("blocksize", phases.Block));
        NodeProto[] crop = isCropped ? [Crop(interleaved, result, phases.Axes, view, names)] : [];
        view.Replace(quantizer, [quantize, interleave, .. crop]);
    }

    private static NodeProto Crop(string value, string result, IReadOnlyList<PhaseAxis> axes, GraphView view, UniqueNames names)
    {
        string[] inputs = [names.Next(result + "_starts"), names.Next(result + "_ends"), names.Next(result + "_axes")];
        long[][] values =
        [
            [.. axes.Select(static axis => (long)axis.CropBegin)],
            [.. axes.Select(static axis => axis.CropEnd == 0 ? long.MaxValue : -axis.CropEnd)],
            [2, 3],
        ];
        for (int i = 0; i < inputs.Length; i++) view.AddInitializer(TensorProto.FromInt64s(inputs[i], [values[i].Length], values[i]));
        return Node("Slice", names.Next(result + "_crop"), [value, .. inputs], result);
    }

    private static string NoteOf(PhaseConvolution phases)
    {
        string form = phases.Block > 1
            ? FormattableString.Invariant($"a convolution of {phases.Block * phases.Block} phases, interleaved")
            : "a convolution";
        return phases.Growth > 1
            ? FormattableString.Invariant($"{form}; with {phases.Growth:0.##} times as many weights, zeros included")
            : form;
    }

    private static NodeProto Node(string opType, string name, string[] inputs, string output)
    {
        var node = new NodeProto { OpType = opType, Name = name };
        node.Input.AddRange(inputs);
        node.Output.Add(output);
        return node;
    }
}
