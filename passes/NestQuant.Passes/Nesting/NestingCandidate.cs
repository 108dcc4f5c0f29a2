using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Nesting;

/// <summary>A node that reads what can be a nested weight, and what was found out about it.</summary>
/// <param name="Node">The Conv, ConvTranspose, Gemm, MatMul, Gather or recurrent operator.</param>
/// <param name="WeightInput">The position of the input that is the weight.</param>
/// <param name="View">The graph that holds the node.</param>
/// <param name="Settings">What the options say about it.</param>
internal sealed record NestingCandidate(NodeProto Node, int WeightInput, GraphView View, WeightSettings Settings)
{
    /// <summary>What the options say about it; a budget changes its bits.</summary>
    public WeightSettings Settings { get; set; } = Settings;

    /// <summary>Types of the operators whose weights nest.</summary>
    public static IReadOnlyList<string> Operators { get; } = WeightOperators.All;

    /// <summary>The operators, for messages.</summary>
    public static string OperatorsText { get; } = $"{string.Join(", ", Operators.SkipLast(1))} or {Operators[^1]}";

    /// <summary>Whether the weight is a table, of which the node takes rows.</summary>
    public bool IsTable => WeightOperators.IsTable(Node);

    /// <summary>Whether the node multiplies by the weight in every step of a sequence.</summary>
    public bool IsRecurrent => WeightOperators.IsRecurrent(Node);

    /// <summary>How the weight is rounded without data.</summary>
    public WeightQuantization WithoutData => IsTable ? Settings.Quantization!.ToNearest : Settings.Quantization!.WithoutData;

    /// <summary>The constant weight; null where the node is kept for a reason that lies in the weight.</summary>
    public TensorProto? Weight { get; private set; }

    /// <summary>Layout of the weight.</summary>
    public ChannelView Channels { get; private set; }

    /// <summary>The Transpose in between, where a MatMul multiplies by a transposed weight; else null.</summary>
    public NodeProto? Transpose { get; private set; }

    /// <summary>The graph that owns the weight, this one or an outer one.</summary>
    public GraphView? Owner { get; private set; }

    /// <summary>Why the node stays as it is; null while it is to be rewritten.</summary>
    public string? Reason { get; set; }

    /// <summary>
    /// What makes the weight unusable for anybody: a model that has it is broken, unless the node is left out. Null for a sound weight.
    /// </summary>
    public string? Defect { get; private set; }

    /// <summary>Why its activations stay float for the sake of accuracy; null where they need not.</summary>
    public string? GuardReason { get; init; }

    /// <summary>What the decision log should say about the rewritten node; null for nothing.</summary>
    public string? Note { get; set; }

    /// <summary>What the decision log should say about the rounding of its weight for data; null for nothing.</summary>
    public string? RoundingNote { get; set; }

    /// <summary>
    /// What the node itself adds to its product at every level below full precision, [levels - 1, M] in descending order: its own constant
    /// bias, where it has one, included, but not what an Add after it adds. Null where that is the same as at full
    /// precision, as it has to be without <see cref="HasChannelBias"/>.
    /// </summary>
    public float[]? PartBias { get; set; }

    /// <summary>What the node itself adds at full precision, [M], instead of its own bias; null where that stays.</summary>
    public float[]? FullBias { get; set; }

    /// <summary>Whether one value per output channel can be added to the result: not where each batch has its own channels.</summary>
    public bool HasChannelBias => IsProduct(Node) && (!Node.Is("MatMul") || Transpose is not null || Channels.Groups == 1);

    /// <summary>The positions of the inputs of a node that can be nested weights; none where it is no candidate.</summary>
    public static IEnumerable<int> WeightInputs(NodeProto node, GraphView view)
    {
        if (IsProduct(node)) return [1];
        if (WeightOperators.IsRecurrent(node)) return [1, 2];
        return ReadsTable(node, view) ? [0] : [];
    }

    /// <summary>Whether a node multiplies by weights.</summary>
    public static bool IsProduct(NodeProto node) => WeightOperators.IsProduct(node);

    /// <summary>Other Gathers, of activations, shapes and single numbers, are no candidates, and need no decision.</summary>
    private static bool ReadsTable(NodeProto node, GraphView view) =>
        WeightOperators.IsTable(node)
            && view.Owner(node.InputAt(0))?.Initializer(node.InputAt(0)) is { Dims.Count: > 1 } table
            && table.DataType is TensorDataType.Float or TensorDataType.Float16 or TensorDataType.BFloat16 or TensorDataType.Double;

    /// <summary>Looks at the node's weight.</summary>
    public static NestingCandidate Of(
        NodeProto node, int weightInput, GraphView view, WeightSettings settings, string? guardReason = null)
    {
        var candidate = new NestingCandidate(node, weightInput, view, settings) { GuardReason = guardReason };
        string? unfit = candidate.FindWeight();
        candidate.Reason = settings.Reason ?? unfit;
        if (candidate.Weight is not null) candidate.Reason ??= candidate.WhyNoSmaller() ?? RecurrentCost.WhyKept(candidate);
        return candidate;
    }

    private string? FindWeight()
    {
        Transpose = Node.Is("MatMul") ? TransposeOf(Node.InputAt(1)) : null;
        string name = Transpose?.Input[0] ?? Node.InputAt(WeightInput);
        if (View.Owner(name) is not { } owner) return $"its weight '{name}' is not defined";
        if (View.Constant(name) is not { } weight)
            return owner.Initializer(name) is null
                ? $"its weight '{name}' is not a constant"
                : $"its weight '{name}' is also a graph input, so that a caller may replace it; --constant-inputs '{name}' makes it "
                    + "a constant";
        if (weight.DataType != TensorDataType.Float)
            return $"its weight '{name}' is {weight.DataType.TextName()}; only float32 weights are nested";
        if (weight.Dims.Contains(0))
        {
            Defect = $"weight '{name}' of node '{Node.DisplayName()}' has no elements (a dimension is 0): "
                + "export the model again, or exclude the node";
            return null;
        }

        if (weight.Dims.Count == 1) return $"its weight '{name}' is a vector";
        if (IsTable && Node.GetInt("axis", 0) is not 0 and var axis && axis != -weight.Dims.Count)
            return $"its axis is {axis}: only rows, axis 0, are taken from nested tables";
        if ((Transpose is null ? WeightView.Of(Node, weight) : WeightView.OfTransposed(weight)) is not { } channels)
            return $"its weight '{name}' of shape [{string.Join(',', weight.Dims)}] does not fit {Node.OpType}, "
                + "or has more than 2^31 elements";
        Weight = weight;
        Channels = channels;
        Owner = owner;
        return null;
    }

    /// <summary>The node that transposes a constant matrix; null where a value is none.</summary>
    private NodeProto? TransposeOf(string value) =>
        View.Producer(value) is { } node
            && node.Is("Transpose")
            && View.Constant(node.Input[0]) is { Dims.Count: 2 }
            && node.GetInts("perm") is null or [1, 0]
            ? node
            : null;

    /// <summary>Why a table stays where it has so few or such short rows that padding and scales outweigh what nesting saves.</summary>
    private string? WhyNoSmaller()
    {
        if (!IsTable || Settings.Quantization is not { Bits: var bits }) return null;
        var layout = new NestedLayout(bits, Channels);
        long scales = sizeof(float) * (long)Channels.OutputChannels;
        long bytes = Enumerable.Range(0, bits.Count).Sum(layout.ByteLength) + scales;
        return bytes < Weight!.ByteCount
            ? null
            : $"its table '{Weight.Name}' takes {Weight.ByteCount} bytes in float, and would take {bytes} nested";
    }
}
