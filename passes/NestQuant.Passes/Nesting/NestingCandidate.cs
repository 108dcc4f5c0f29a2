using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Nesting;

/// <summary>A node whose input 1 can be a nested weight, and what was found out about it.</summary>
/// <param name="Node">The Conv, ConvTranspose, Gemm or MatMul.</param>
/// <param name="View">The graph that holds the node.</param>
/// <param name="Settings">What the options say about it.</param>
internal sealed record NestingCandidate(NodeProto Node, GraphView View, WeightSettings Settings)
{
    /// <summary>What the options say about it; a budget changes its bits.</summary>
    public WeightSettings Settings { get; set; } = Settings;

    /// <summary>Types of the operators whose weights nest.</summary>
    public static IReadOnlyList<string> Operators { get; } = ["Conv", "ConvTranspose", "Gemm", "MatMul"];

    /// <summary>The constant weight; null where the node is kept for a reason that lies in the weight.</summary>
    public TensorProto? Weight { get; private set; }

    /// <summary>Layout of the weight.</summary>
    public ChannelView Channels { get; private set; }

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
    public bool HasChannelBias => !Node.Is("MatMul") || Channels.Groups == 1;

    /// <summary>Whether a node is a candidate at all.</summary>
    public static bool IsCandidate(NodeProto node) => node.IsDefaultDomain() && Operators.Contains(node.OpType);

    /// <summary>Looks at the node's weight.</summary>
    public static NestingCandidate Of(NodeProto node, GraphView view, WeightSettings settings, string? guardReason = null)
    {
        var candidate = new NestingCandidate(node, view, settings) { GuardReason = guardReason };
        string? unfit = candidate.FindWeight();
        candidate.Reason = settings.Reason ?? unfit;
        return candidate;
    }

    private string? FindWeight()
    {
        string name = Node.InputAt(1);
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
        if (WeightView.Of(Node, weight) is not { } channels)
            return $"its weight '{name}' of shape [{string.Join(',', weight.Dims)}] does not fit {Node.OpType}, "
                + "or has more than 2^31 elements";
        Weight = weight;
        Channels = channels;
        Owner = owner;
        return null;
    }
}
