using System.Globalization;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Calibration;
using NestQuant.Passes.Integer.ActivationQuantization;
using NestQuant.Passes.Nesting;

namespace NestQuant.Passes.Guard;

/// <summary>
/// A float model that computes what a compiled one does at full precision: its weights are what nested ones decode to, and an input per
/// activation says whether that is rounded to 8 bits in this run.
/// <code>
/// y = Conv (x, W)
/// x' = If (round_0) { DequantizeLinear (QuantizeLinear (x)) } else { x }; y = Conv (x', W')
/// </code>
/// </summary>
internal sealed class SwitchedModel
{
    private readonly GraphView _main;
    private readonly UniqueNames _names;
    private readonly List<RoundedActivation> _activations = [];
    private readonly HashSet<string> _switched = new(StringComparer.Ordinal);

    private SwitchedModel(ModelProto model)
    {
        Model = model;
        _main = GraphView.Of(model.MainGraph());
        _names = new UniqueNames(model);
    }

    /// <summary>The model.</summary>
    public ModelProto Model { get; }

    /// <summary>The activations that can be rounded: those with ranges in graph order, then those that are quantized at run time.</summary>
    public IReadOnlyList<RoundedActivation> Activations => _activations;

    /// <summary>Makes the model.</summary>
    /// <param name="context">The model that is compiled, prepared for nesting; it stays as it is.</param>
    /// <param name="weights">Which weights will be nested, and how.</param>
    /// <param name="quantization">The pass that quantizes activations with ranges, which are left in the context; null where all are
    /// quantized at run time.</param>
    /// <param name="parallel">Degree of parallelism and cancellation.</param>
    public static SwitchedModel Of(
        ModelContext context, WeightOptions weights, ActivationQuantizationPass? quantization, ParallelOptions parallel)
    {
        ModelProto copy = context.Model.Clone();
        var inner = new ModelContext(copy)
        {
            Threads = context.Threads,
            Cancellation = context.Cancellation,
            Progress = context.Progress,
        };
        var known = copy.MainGraph().Initializer.Select(static tensor => tensor.Name).ToHashSet(StringComparer.Ordinal);
        quantization?.Run(inner);
        if (inner.Find<KnownRanges>() is { } ranges) context.Leave(ranges);
        var switched = new SwitchedModel(copy);
        switched.SwitchPairs(known);
        switched.SwitchLayers(weights, parallel);
        DeadCode.Remove(copy.MainGraph());
        return switched;
    }

    /// <summary>Switches the pairs that the pass has inserted; those of values that share a scale are one activation.</summary>
    private void SwitchPairs(HashSet<string> known)
    {
        NodeProto[] inserted =
        [
            .. _main.Graph.Node.Where(
                node => node.Is("DequantizeLinear") && !known.Contains(node.Input[1]) && _main.Initializer(node.Input[1]) is not null),
        ];
        foreach (NodeProto[] pairs in inserted.GroupBy(static node => node.Input[1], static (_, group) => group.ToArray()))
        {
            // What only moves elements comes after the value that they are of.
            RoundedActivation activation = Add(_main.Producer(pairs[0].Input[0])!.Input[0]);
            foreach (NodeProto dequantize in pairs)
            {
                NodeProto quantize = _main.Producer(dequantize.Input[0])!;
                activation.Layers.AddRange(
                    _main.Consumers(dequantize.Output[0]).Where(layer => NestingCandidate.WeightInputs(layer, _main).Any())
                        .Select(static layer => layer.Output[0]));
                _main.Replace(
                    dequantize,
                    Switch(activation, dequantize.Output[0], quantize.Input[0], "QuantizeLinear", [quantize.Input[1], quantize.Input[2]]));
            }
        }
    }

    /// <summary>Gives layers the weights that nested ones decode to, and switches inputs that will be quantized at run time.</summary>
    private void SwitchLayers(WeightOptions weights, ParallelOptions parallel)
    {
        var decoded = new HashSet<TensorProto>(ReferenceEqualityComparer.Instance);
        var switched = new Dictionary<(GraphView View, string Value), (string Rounded, RoundedActivation Activation)>();
        foreach (NestingCandidate candidate in NestingCandidates.Find(_main, weights).Where(static candidate => candidate.Reason is null))
        {
            TensorProto weight = candidate.Weight!;
            if (decoded.Add(weight))
                candidate.Owner!.ReplaceInitializer(TensorProto.FromFloats(
                    weight.Name,
                    [.. weight.Dims],
                    WeightNester.Nest(weight, candidate.Channels, candidate.WithoutData, parallel).Decoded()));
            GraphView view = candidate.View;
            string value = candidate.Node.Input[0];
            if (candidate.IsTable || IntegerForm.WhyNone(candidate, Model.OpsetVersion()) is not null || IsQuantized(view, value)) continue;
            if (!switched.TryGetValue((view, value), out var known))
            {
                known = (_names.Next(value + "_rounded"), Add(value));
                view.InsertBefore(candidate.Node, Switch(known.Activation, known.Rounded, value, "DynamicQuantizeLinear", []));
                switched[(view, value)] = known;
            }

            known.Activation.Layers.Add(candidate.Node.Output[0]);
            view.SetInput(candidate.Node, 0, known.Rounded);
        }
    }

    private bool IsQuantized(GraphView view, string value) =>
        _switched.Contains(value) || DequantizedActivation.Of(view, value) is not null;

    private RoundedActivation Add(string value)
    {
        string input = _names.Next(string.Create(CultureInfo.InvariantCulture, $"round_{_activations.Count}"));
        _main.AddInput(new ValueInfoProto
        {
            Name = input,
            Type = new TypeProto
            {
                TensorType = new TypeProto.Tensor { ElemType = TensorDataType.Bool, Shape = new TensorShapeProto() },
            },
        });
        var activation = new RoundedActivation(value, input);
        _activations.Add(activation);
        return activation;
    }

    private NodeProto Switch(RoundedActivation activation, string output, string value, string quantizer, string[] parameters)
    {
        _switched.Add(output);
        string[] results = [.. new[] { "_integers", "_step", "_zero" }.Select(suffix => _names.Next(output + suffix))];
        string rounded = _names.Next(output + "_then"), same = _names.Next(output + "_else");
        bool isDynamic = parameters.Length == 0;
        NodeProto quantize = Node(quantizer, [value, .. parameters], isDynamic ? results : results[..1]);
        NodeProto dequantize = Node("DequantizeLinear", isDynamic ? results : [results[0], .. parameters], [rounded]);
        NodeProto node = Node("If", [activation.Input], [output]);
        node.Attribute.Add(AttributeProto.Graph("then_branch", Branch(rounded, quantize, dequantize)));
        node.Attribute.Add(AttributeProto.Graph("else_branch", Branch(same, Node("Identity", [value], [same]))));
        return node;
    }

    private static GraphProto Branch(string output, params ReadOnlySpan<NodeProto> nodes)
    {
        var graph = new GraphProto { Name = output };
        foreach (NodeProto node in nodes) graph.Node.Add(node);
        graph.Output.Add(new ValueInfoProto
        {
            Name = output,
            Type = new TypeProto { TensorType = new TypeProto.Tensor { ElemType = TensorDataType.Float } },
        });
        return graph;
    }

    private static NodeProto Node(string op, string[] inputs, string[] outputs)
    {
        var node = new NodeProto { OpType = op };
        node.Input.AddRange(inputs);
        node.Output.AddRange(outputs);
        return node;
    }
}
