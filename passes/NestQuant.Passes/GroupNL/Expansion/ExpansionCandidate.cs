using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.GroupNL.Recognition;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.GroupNL.Expansion;

/// <summary>A Conv of the main graph and whether it can be expanded.</summary>
/// <param name="Node">The Conv.</param>
/// <param name="Weight">Its weight, where that is a float32 constant of a 2-D convolution.</param>
/// <param name="Shape">The channels, groups and kernel size, likewise.</param>
/// <param name="IsSeed">Whether a GroupNL block reads its result already.</param>
internal sealed record ExpansionCandidate(NodeProto Node, TensorProto? Weight, ConvShape? Shape, bool IsSeed)
{
    /// <summary>Why the node is kept; null while it can be expanded.</summary>
    public string? Reason { get; set; }

    /// <summary>Which consumers of the expanded convolution were refitted, and how well; null without calibration.</summary>
    public string? Refit { get; set; }

    /// <summary>The relative error of the worst refitted consumer, where that is why the convolution is kept.</summary>
    public double? BudgetNeeded { get; set; }

    /// <summary>
    /// Parameters of the expansion besides its seeds and the source's bias: a bias that an earlier refit added.
    /// </summary>
    public int GainedParameters { get; set; }

    /// <summary>A group per input channel.</summary>
    public bool IsDepthwise => Shape is { Groups: > 1, GroupInputs: 1 };

    /// <summary>Looks at a Conv.</summary>
    public static ExpansionCandidate Of(NodeProto node, GraphView view, GroupNLExpandOptions options)
    {
        TensorProto? weight = view.Constant(node.InputAt(1)) is { DataType: TensorDataType.Float } tensor ? tensor : null;
        ConvShape? shape = weight is null ? null : ShapeOf(node, weight);
        var candidate = new ExpansionCandidate(node, weight, shape, IsReadByBlock(node, view));
        candidate.Reason = candidate.WhyNot(view, options);
        return candidate;
    }

    private string? WhyNot(GraphView view, GroupNLExpandOptions options)
    {
        if (IsSeed) return "it is the seed convolution of a GroupNL block already";
        if (Weight is null) return "its weight is not a float32 constant";
        if (Shape is not { } shape) return $"its weight of shape [{string.Join(',', Weight.Dims)}] is not that of a 2-D convolution";
        string bias = Node.InputAt(2);
        if (bias.Length > 0 && view.Constant(bias) is not { DataType: TensorDataType.Float })
            return $"its bias '{bias}' is not a float32 constant";
        if (shape.Outputs < options.Ratio) return $"a ratio of {options.Ratio} leaves no seed for its {shape.Outputs} outputs";
        if (shape.Outputs % options.Ratio != 0) return $"its {shape.Outputs} outputs are not a multiple of the ratio {options.Ratio}";
        int seeds = shape.Outputs / options.Ratio;
        return seeds < options.Groups ? $"its {seeds} seeds are fewer than the {options.Groups} groups" : null;
    }

    private static ConvShape? ShapeOf(NodeProto node, TensorProto weight)
    {
        const int rank = 4;
        long groups = node.GetInt("group", 1);
        if (weight.Dims is not { Count: rank } dims || dims.Exists(static dim => dim is <= 0 or > int.MaxValue)) return null;
        if (weight.ElementCount > int.MaxValue || groups <= 0 || dims[0] % groups != 0 || dims[1] > int.MaxValue / groups) return null;
        return new ConvShape((int)dims[0], (int)(dims[1] * groups), (int)groups, (int)(dims[2] * dims[3]));
    }

    private static bool IsReadByBlock(NodeProto node, GraphView view) => node.Output is [var output, ..] && view.Consumers(output).Any(
        consumer => consumer.OpType == OperatorNames.GroupNLExpand
            || (SeedNormalisation.EndingIn(consumer, view) is { } start && ExpansionBlock.LeadsToFunction(start, view)));
}
