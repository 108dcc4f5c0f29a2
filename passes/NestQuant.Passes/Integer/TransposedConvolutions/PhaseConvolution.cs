using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Nesting;

namespace NestQuant.Passes.Integer.TransposedConvolutions;

/// <summary>
/// A ConvTranspose as a Conv with a channel for every phase of every output channel, see <see cref="PhaseAxis"/>; DepthToSpace interleaves
/// them. The results are the same but for the order of sums.
/// </summary>
internal sealed class PhaseConvolution
{
    /// <summary>
    /// How many times as many weights the convolution may have, zeros included: integers are faster than floats by more than that, but the
    /// zeros are stored.
    /// </summary>
    private const int MostGrowth = 2;

    /// <summary>More than any network needs, and few enough that no product overflows.</summary>
    private const int MostExtent = 1024;

    private readonly NodeProto _node;
    private readonly TensorProto _weight;
    private readonly TensorProto? _bias;
    private readonly PhaseAxis[] _axes;

    private PhaseConvolution(NodeProto node, TensorProto weight, TensorProto? bias, PhaseAxis[] axes)
    {
        _node = node;
        _weight = weight;
        _bias = bias;
        _axes = axes;
    }

    /// <summary>Phases along an axis, the same along both: the block of DepthToSpace.</summary>
    public int Block => _axes[0].Phases;

    /// <summary>The axes, height and width.</summary>
    public IReadOnlyList<PhaseAxis> Axes => _axes;

    /// <summary>How many times as many weights the convolution has.</summary>
    public double Growth => (double)_axes.Aggregate(1L, static (taps, axis) => taps * axis.Phases * axis.Extent) / Taps;

    private int Channels => (int)_weight.Dims[1];

    private long Taps => _weight.Dims[2] * _weight.Dims[3];

    /// <summary>Why a ConvTranspose has no such form; null where it has one.</summary>
    /// <param name="candidate">A ConvTranspose whose weight can be nested.</param>
    /// <param name="options">The options, whose rules may tell the two operators apart.</param>
    /// <param name="phases">The form where there is one.</param>
    public static string? Find(NestingCandidate candidate, WeightOptions options, out PhaseConvolution? phases)
    {
        phases = null;
        NodeProto node = candidate.Node;
        TensorProto weight = candidate.Weight!;
        WeightRule? rule = options.Rules.FirstOrDefault(
            rule => rule.Matches(node.DisplayName(), node.OpType) != rule.Matches(node.DisplayName(), "Conv"));
        if (rule is not null) return $"the rule for {rule} does not treat it as a Conv, which it would become";
        if (candidate.Owner!.Consumers(weight.Name).Count > 1) return "other nodes read its weight too";
        TensorProto? bias = null;
        if (node.InputAt(2) is { Length: > 0 } name)
        {
            bias = candidate.View.Constant(name);
            if (bias is not { DataType: TensorDataType.Float } || bias.ElementCount != weight.Dims[1])
                return $"its bias '{name}' is no constant of one float32 value per channel";
        }

        if (WhyNoAxes(node, weight, out PhaseAxis[] axes) is { } reason) return reason;
        var found = new PhaseConvolution(node, weight, bias, axes);
        if (found.Growth > MostGrowth)
            return FormattableString.Invariant(
                $"as a Conv it would have {found.Growth:0.##} times as many weights, more than {MostGrowth}");
        if (found.Growth * weight.ElementCount > Array.MaxLength) return "as a Conv it would have more weights than an array can hold";
        phases = found;
        return null;
    }

    /// <summary>The node; its input, weight, bias and result are yet to be named.</summary>
    public NodeProto ToConv()
    {
        var conv = new NodeProto { OpType = "Conv", Name = _node.Name };
        conv.Attribute.Add(AttributeProto.IntList("kernel_shape", _axes[0].Extent, _axes[1].Extent));
        conv.Attribute.Add(
            AttributeProto.IntList("pads", _axes[0].PadBegin, _axes[1].PadBegin, _axes[0].PadEnd, _axes[1].PadEnd));
        return conv;
    }

    /// <summary>The weight [phases * M, C, k, k], from [C, M, k', k'].</summary>
    public TensorProto Weight(string name)
    {
        int inputs = (int)_weight.Dims[0], channels = Channels, height = (int)_weight.Dims[2], width = (int)_weight.Dims[3];
        PhaseAxis rows = _axes[0], columns = _axes[1];
        float[] values = _weight.ToFloats();
        var result = new float[rows.Phases * columns.Phases * channels * inputs * rows.Extent * columns.Extent];
        int next = 0;
        for (int phase = 0; phase < rows.Phases * columns.Phases; phase++)
        {
            (int down, int right) = Math.DivRem(phase, columns.Phases);
            for (int m = 0; m < channels; m++)
                for (int c = 0; c < inputs; c++)
                    for (int y = 0; y < rows.Extent; y++)
                        for (int x = 0; x < columns.Extent; x++, next++)
                        {
                            int row = rows.Tap(down, y), column = columns.Tap(right, x);
                            if ((uint)row < (uint)height && (uint)column < (uint)width)
                                result[next] = values[((((c * channels) + m) * height) + row) * width + column];
                        }
        }

        return TensorProto.FromFloats(
            name, [rows.Phases * columns.Phases * channels, inputs, rows.Extent, columns.Extent], result);
    }

    /// <summary>The bias, once for every phase; null where there is none.</summary>
    public TensorProto? Bias(string name)
    {
        if (_bias is null) return null;
        float[] values = [.. Enumerable.Repeat(_bias.ToFloats(), Block * Block).SelectMany(static bias => bias)];
        return TensorProto.FromFloats(name, [values.Length], values);
    }

    /// <summary>Why a ConvTranspose is not of the kind whose axes can be treated one by one.</summary>
    private static string? WhyNoAxes(NodeProto node, TensorProto weight, out PhaseAxis[] axes)
    {
        axes = [];
        if (weight.Dims.Count != 4) return "only a ConvTranspose over two axes has an integer form";
        if (node.GetInt("group", 1) != 1) return "a grouped ConvTranspose has no integer form";
        if (node.GetInts("dilations") is { } dilations && Array.Exists(dilations, static dilation => dilation != 1))
            return "a dilated ConvTranspose has no integer form";
        if (node.GetInts("output_shape") is not null) return "its output_shape stands for pads that depend on the input";
        string padding = node.GetString("auto_pad", "NOTSET");
        if (padding is not "NOTSET" and not "VALID") return $"its auto_pad is {padding}; only given pads have an integer form";
        long[] strides = node.GetInts("strides") ?? [1, 1], added = node.GetInts("output_padding") ?? [0, 0];
        long[] pads = (padding == "VALID" ? null : node.GetInts("pads")) ?? [0, 0, 0, 0];
        if (strides is not [var down, var right] || added.Length != 2 || pads.Length != 4)
            return "its strides, pads and output_padding are not those of two axes";
        if (down != right) return "its strides differ between the axes";
        long[] extents = [down, weight.Dims[2], weight.Dims[3]];
        bool isUsual = extents.All(static extent => extent is > 0 and <= MostExtent)
            && pads.Concat(added).All(static pad => pad is >= 0 and <= MostExtent);
        if (!isUsual) return $"its extents are not between 1 and {MostExtent}, or its pads not between 0 and {MostExtent}";
        var found = new PhaseAxis?[2];
        for (int axis = 0; axis < found.Length; axis++)
        {
            found[axis] = PhaseAxis.Of((int)down, (int)weight.Dims[2 + axis], (int)pads[axis], (int)pads[2 + axis], (int)added[axis]);
            if (found[axis] is null) return "it leaves out more results than its kernel adds";
        }

        axes = [.. found.OfType<PhaseAxis>()];
        return null;
    }
}
