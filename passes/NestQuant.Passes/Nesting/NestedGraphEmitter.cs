using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Nesting;

/// <summary>Writes the nested form of weights and of the nodes that read them into the graph.</summary>
internal sealed class NestedGraphEmitter
{
    private readonly ModelProto _model;
    private readonly GraphView _main;
    private readonly ActivationMode _activationMode;
    private readonly UniqueNames _names;
    private readonly QuantizedActivations _activations;
    private readonly LayerBias _bias;
    private readonly Dictionary<TensorProto, NestedOperands> _operands = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<TensorProto, string> _dequantized = new(ReferenceEqualityComparer.Instance);
    private int _fullBits;

    /// <summary>Creates an emitter for one run of the pass.</summary>
    /// <param name="model">The model.</param>
    /// <param name="main">View of its main graph, the same that the candidates refer to.</param>
    /// <param name="activations">How activations reach the nested operators.</param>
    public NestedGraphEmitter(ModelProto model, GraphView main, ActivationMode activations)
    {
        _model = model;
        _main = main;
        _activationMode = activations;
        _names = new UniqueNames(model);
        _activations = new QuantizedActivations(_names);
        _bias = new LayerBias(_names);
    }

    /// <summary>Adds the operands of a nested weight to the main graph, also where the float weight belongs to a body.</summary>
    public NestedOperands AddOperands(NestedWeight nested, TensorProto weight, ParallelOptions parallel) =>
        _operands[weight] = NestedOperands.Add(nested, weight, _main, _names, parallel);

    /// <summary>Rewrites one reader. Readers must come in graph order, so that what they share stands before the first.</summary>
    /// <returns>What the decision log should note: null where the node runs on integers as asked.</returns>
    public string? Rewrite(NestingCandidate candidate)
    {
        NestedOperands operands = _operands[candidate.Weight!];
        if (candidate.IsTable)
        {
            EmitGather(candidate, operands);
            return null;
        }

        bool isConvolution = candidate.Node.Is("Conv");
        string? notNested = WhyNotNested(candidate, operands), notInteger = WhyNotInteger(candidate);
        if (notNested is null && notInteger is null)
        {
            if (isConvolution) return EmitConv(candidate, operands);
            QuantizedActivations.Quantized x = _activations.Quantize(candidate.View, candidate.Node.Input[0], candidate.Node);
            EmitGemm(candidate, operands, OperatorSet.NestedGemm, x.Inputs);
            return null;
        }

        notNested ??= NestedForm.WhyNoFloatForm(candidate);
        bool isWeightOnly = _activationMode == ActivationMode.WeightOnly;
        if (notNested is not null)
        {
            EmitDequantized(candidate, operands);
            return $"{(isWeightOnly ? "" : "weight-only, ")}decoded before each run: {notNested}";
        }

        if (isConvolution) EmitFloatConv(candidate, operands);
        else EmitGemm(candidate, operands, OperatorSet.NestedFloatGemm, [(InputNames.X, candidate.Node.Input[0])]);
        return isWeightOnly ? null : $"weight-only: {notInteger}";
    }

    /// <summary>Why no nested operator stands for the node, so that its weight has to be made float for it; null where one does.</summary>
    private string? WhyNotNested(NestingCandidate candidate, NestedOperands operands) =>
        NestedForm.WhyNone(candidate)
            ?? (operands.Layout.View == candidate.Channels ? null : NestedForm.TurnedWeight)
            ?? WhyNotScaled(candidate, operands);

    private string? WhyNotInteger(NestingCandidate candidate) =>
        _activationMode == ActivationMode.WeightOnly ? "activations are float" : IntegerForm.WhyNone(candidate, _model.OpsetVersion());

    /// <summary>Why alpha cannot become part of the scales of a Gemm's weight; null where it can.</summary>
    private string? WhyNotScaled(NestingCandidate candidate, NestedOperands operands)
    {
        float alpha = candidate.Node.Is("Gemm") ? candidate.Node.GetFloat("alpha", 1) : 1;
        float[] scales = [.. new[] { operands.Scale, operands.PartScale }.SelectMany(name => _main.Initializer(name)?.ToFloats() ?? [])];
        bool fits = alpha == 0 || Array.TrueForAll(scales, scale => float.IsNormal(scale * alpha));
        return fits ? null : FormattableString.Invariant($"scales times its alpha, {alpha}, leave float32");
    }

    /// <summary>The float form of a nested weight, made once, in the graph that owns it, in front of the first reader there.</summary>
    private string Dequantized(NestingCandidate candidate, NestedOperands operands)
    {
        if (_dequantized.TryGetValue(candidate.Weight!, out string? known)) return known;
        string name = candidate.Weight!.Name, value = _names.Next(name + "_dequantized");
        NodeProto node = OperatorSet.NestedDequantizeLinear.NewNode(
            _names.Next(name + "_dequantize"), [.. operands.Inputs, Bits(operands)], value);
        operands.Describe(node);
        operands.DescribeChannels(node);
        GraphView owner = candidate.Owner!;
        var readers = new HashSet<NodeProto>(owner.Consumers(name), ReferenceEqualityComparer.Instance);
        owner.InsertBefore(owner.Graph.Node.Find(readers.Contains)!, node);
        return _dequantized[candidate.Weight!] = value;
    }

    private string? EmitConv(NestingCandidate candidate, NestedOperands operands)
    {
        NodeProto conv = candidate.Node;
        int rank = operands.Shape.Length;
        GroupNLExpansion? expansion = GroupNLExpansion.Of(conv, candidate.View);
        string output = expansion?.Output ?? conv.Output[0], channelsLast = _names.Next(output + "_channels_last");
        QuantizedActivations.Quantized x = _activations.QuantizeChannelsLast(candidate.View, conv.Input[0], rank, conv);
        OperatorSchema schema = expansion is null ? OperatorSet.NestedConv : OperatorSet.NestedGroupNLConv;
        NodeProto nested = schema.NewNode(
            conv.DisplayName(),
            [.. x.Inputs, .. operands.Inputs, .. Biases(candidate, conv.InputAt(2)), .. expansion?.Inputs ?? [], Bits(operands)],
            channelsLast);
        DescribeConvolution(conv, nested, operands);
        NodeProto toChannelsFirst = _activations.ToChannelsFirst(channelsLast, output, rank);
        if (expansion is null)
        {
            candidate.View.Replace(conv, nested, toChannelsFirst);
            return null;
        }

        expansion.Describe(nested);
        expansion.Replace(nested, toChannelsFirst);
        return $"with GroupNLExpand '{expansion.Name}' in its epilogue";
    }

    /// <summary>Lets the node read the float form of its weight.</summary>
    private void EmitDequantized(NestingCandidate candidate, NestedOperands operands)
    {
        string value = Dequantized(candidate, operands);
        candidate.View.SetInput(candidate.Transpose ?? candidate.Node, candidate.Transpose is null ? candidate.WeightInput : 0, value);
        _bias.WriteWeightOnly(candidate, operands.Layout.Bits, PrecisionInput.Name);
        ConvolutionOutputs.KeepApart(candidate.Node.Output[0], candidate.View, _names);
    }

    private void EmitFloatConv(NestingCandidate candidate, NestedOperands operands)
    {
        NodeProto conv = candidate.Node;
        NodeProto nested = OperatorSet.NestedFloatConv.NewNode(
            conv.DisplayName(),
            [(InputNames.X, conv.Input[0]), .. operands.Inputs, .. Biases(candidate, conv.InputAt(2)), Bits(operands)],
            conv.Output[0]);
        DescribeConvolution(conv, nested, operands);
        candidate.View.Replace(conv, nested);
    }

    private static void DescribeConvolution(NodeProto conv, NodeProto nested, NestedOperands operands)
    {
        operands.Describe(nested);
        foreach (AttributeSchema attribute in OperatorAttributes.Convolution)
            if (conv.GetAttribute(attribute.Name) is { } value) nested.Attribute.Add(value);
    }

    private void EmitGemm(
        NestingCandidate candidate, NestedOperands operands, OperatorSchema schema, IEnumerable<(string Input, string Value)> x)
    {
        NodeProto gemm = candidate.Node;
        GraphView view = candidate.View;
        string output = gemm.Output[0];
        GemmBias bias = GemmBias.Of(candidate, _names);
        string product = bias.Added.Length == 0 ? output : _names.Next(output + "_product");
        NestedOperands scaled = ScaledBy(gemm.GetFloat("alpha", 1), operands, candidate);
        NodeProto nested = schema.NewNode(
            gemm.DisplayName(), [.. x, .. scaled.Inputs, .. Biases(candidate, bias.Fused), Bits(operands)], product);
        operands.Describe(nested);
        operands.DescribeChannels(nested);
        if (bias.Added.Length == 0)
        {
            view.Replace(gemm, nested);
            return;
        }

        var add = new NodeProto { OpType = "Add", Name = _names.Next(output + "_add_bias") };
        add.Input.AddRange([product, bias.Added]);
        add.Output.Add(output);
        view.Replace(gemm, nested, add);
    }

    private void EmitGather(NestingCandidate candidate, NestedOperands operands)
    {
        NodeProto gather = candidate.Node;
        NodeProto nested = OperatorSet.NestedGather.NewNode(
            gather.DisplayName(), [(InputNames.Indices, gather.Input[1]), .. operands.Inputs, Bits(operands)], gather.Output[0]);
        operands.Describe(nested);
        operands.DescribeChannels(nested);
        candidate.View.Replace(gather, nested);
    }

    private IEnumerable<(string Input, string Value)> Biases(NestingCandidate candidate, string own) =>
        [(InputNames.Bias, _bias.Full(candidate, own)), (InputNames.PartBias, _bias.Part(candidate))];

    /// <summary>The weight with its scales times Gemm's alpha.</summary>
    private NestedOperands ScaledBy(float alpha, NestedOperands operands, NestingCandidate candidate)
    {
        return alpha == 1
            ? operands
            : operands with { Scale = Scaled(operands.Scale, "_scale"), PartScale = Scaled(operands.PartScale, "_part_scale") };

        string Scaled(string scales, string suffix)
        {
            if (_main.Initializer(scales) is not { } tensor) return "";
            string name = _names.Next(candidate.Node.DisplayName() + suffix);
            float[] products = Array.ConvertAll(tensor.ToFloats(), scale => scale * alpha);
            candidate.View.AddInitializer(TensorProto.FromFloats(name, [.. tensor.Dims], products));
            return name;
        }
    }

    /// <summary>
    /// The graph input that selects the precision of a run; made with the first operator that reads it. By default all weights are full.
    /// </summary>
    private (string Input, string Value) Bits(NestedOperands operands)
    {
        NestedBits bits = operands.Layout.Bits;
        if (bits.Full > _fullBits)
        {
            PrecisionInput.Ensure(_model, _main, bits);
            _fullBits = bits.Full;
        }

        return (InputNames.Bits, PrecisionInput.Name);
    }
}
