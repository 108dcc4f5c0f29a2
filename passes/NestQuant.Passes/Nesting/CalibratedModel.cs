using System.Runtime.InteropServices;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Nesting.Calibrated;

namespace NestQuant.Passes.Nesting;

/// <summary>The layers of a model that are rounded for data, and all its nested weights, whose levels they find.</summary>
internal sealed class CalibratedModel
{
    private readonly GraphView _main;
    private readonly Dictionary<TensorProto, CalibratedWeight> _weights = new(ReferenceEqualityComparer.Instance);
    private readonly List<(NestingCandidate Candidate, CalibratedLayer Layer)> _layers = [];

    /// <summary>Looks at the candidates of a model, and notes for the decision log what cannot be calibrated.</summary>
    /// <param name="main">The main graph.</param>
    /// <param name="open">The candidates that are to be nested: products in graph order, then tables.</param>
    /// <param name="nested">Their weights, rounded without data.</param>
    public CalibratedModel(GraphView main, NestingCandidate[] open, IReadOnlyDictionary<TensorProto, NestedWeight> nested)
    {
        _main = main;
        foreach (NestingCandidate candidate in open) Add(candidate, nested[candidate.Weight!]);
    }

    /// <summary>All weights.</summary>
    public IReadOnlyDictionary<TensorProto, CalibratedWeight> Weights => _weights;

    /// <summary>The layers, in graph order.</summary>
    public IReadOnlyList<(NestingCandidate Candidate, CalibratedLayer Layer)> Layers => _layers;

    private void Add(NestingCandidate candidate, NestedWeight nested)
    {
        TensorProto tensor = candidate.Weight!;
        WeightQuantization quantization = candidate.Settings.Quantization!;
        bool roundsFull = quantization.Rounding == WeightRounding.Calibrated;
        bool roundsParts = quantization.SplitRounding == WeightRounding.Calibrated;
        LayerRows? rows = NestingCandidate.IsProduct(candidate.Node) && (roundsFull || roundsParts) ? RowsOf(candidate, tensor) : null;
        if (!_weights.TryGetValue(tensor, out CalibratedWeight? weight))
        {
            float[] values = ChannelMajor.From(MemoryMarshal.Cast<byte, float>(tensor.GetBytes().Span), nested.View);
            weight = new CalibratedWeight(tensor.Name, nested.Bits, nested.View, values, nested.Scales, nested.ZeroPoints);
            for (int i = 0; i < nested.Bits.Count; i++)
            {
                bool isFound = rows is not null && (i == 0 ? roundsFull : roundsParts);
                if (!isFound)
                    weight[nested.Bits.Levels[i]] = new WeightLevel(ChannelMajor.From<sbyte>(nested.Levels[i], nested.View), nested.Scales);
            }

            _weights.Add(tensor, weight);
        }

        // A later reader in another orientation has rows of another kind.
        if (rows is null || candidate.Channels != nested.View) return;
        _layers.Add((candidate, new CalibratedLayer(candidate.Node, weight, rows, ConstantBias(candidate), roundsFull, roundsParts)));
    }

    private LayerRows? RowsOf(NestingCandidate candidate, TensorProto weight)
    {
        LayerRows? rows = LayerRows.Of(candidate.Node, weight.Dims, candidate.Channels, out string? reason);
        if (!ReferenceEquals(candidate.View, _main)) reason = "it is in a subgraph";
        else if (_main.Initializer(candidate.Node.Input[0]) is not null) reason = "its input is a constant";
        candidate.RoundingNote = reason is null ? null : $"rounded without data: {reason}";
        return reason is null ? rows : null;
    }

    /// <summary>What a node adds to its product; null where that is no constant per output channel.</summary>
    private static float[]? ConstantBias(NestingCandidate candidate)
    {
        int channels = candidate.Channels.OutputChannels;
        if (candidate.Node.Is("MatMul") || candidate.Node.InputAt(2).Length == 0) return new float[channels];
        if (candidate.Node.Is("Gemm")) return GemmBias.Values(candidate);
        return candidate.View.Constant(candidate.Node.InputAt(2)) is { DataType: TensorDataType.Float } bias ? bias.ToFloats() : null;
    }
}
