using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Nesting.Calibrated;

/// <summary>
/// What a layer multiplies its weights with, as rows of K values: the inputs under the kernel at every output position of a convolution
/// (im2col, in the order of the weight: inner channel after inner channel), the rows of a matrix.
/// </summary>
internal abstract class LayerRows
{
    /// <summary>Describes the rows of a layer.</summary>
    /// <param name="layout">Layout of the weight.</param>
    /// <param name="groups">Groups of output channels with rows of their own.</param>
    protected LayerRows(ChannelView layout, int groups)
    {
        Groups = groups;
        Length = layout.WeightsPerChannel;
        ChannelsPerGroup = layout.OutputChannels / groups;
    }

    /// <summary>Groups of output channels with rows of their own.</summary>
    public int Groups { get; }

    /// <summary>Output channels of a group.</summary>
    public int ChannelsPerGroup { get; }

    /// <summary>K, the values of a row.</summary>
    public int Length { get; }

    /// <summary>The rows of a node's input 0.</summary>
    /// <param name="node">A Conv, ConvTranspose, Gemm or MatMul.</param>
    /// <param name="weight">Shape of its weight.</param>
    /// <param name="layout">Layout of its weight.</param>
    /// <param name="reason">Why the weight cannot be calibrated; null where it can.</param>
    public static LayerRows? Of(NodeProto node, IReadOnlyList<long> weight, ChannelView layout, out string? reason)
    {
        LayerRows? rows = node.OpType switch
        {
            "Conv" when weight.Count <= 5 => ConvolutionRows.Of(node, weight, layout),
            "Gemm" => new MatrixRows(node, layout, isTransposed: node.GetInt("transA", 0) != 0),
            "MatMul" when weight.Count == 2 => new MatrixRows(node, layout, isTransposed: false),
            _ => null,
        };
        reason = rows is not null ? null
            : node.OpType == "MatMul" ? "its weight is a batch of matrices"
            : $"there is no calibrated rounding for this {node.OpType}";
        return rows;
    }

    /// <summary>Number of rows of every group.</summary>
    /// <param name="shape">Shape of the input.</param>
    /// <exception cref="ModelException">The input does not fit the layer.</exception>
    public abstract int Count(ReadOnlySpan<long> shape);

    /// <summary>Copies rows.</summary>
    /// <param name="input">The input.</param>
    /// <param name="shape">Its shape, for which <see cref="Count"/> gives the rows.</param>
    /// <param name="group">The group.</param>
    /// <param name="first">The first row.</param>
    /// <param name="rows">Receives as many whole rows as it has room for.</param>
    public abstract void Gather(ReadOnlySpan<float> input, ReadOnlySpan<long> shape, int group, int first, Span<float> rows);

    /// <summary>A failure that names what does not fit.</summary>
    protected static ModelException Misfit(NodeProto node, ReadOnlySpan<long> shape) => new(
        $"{node.OpType} '{node.DisplayName()}' gets an input of shape [{string.Join(", ", shape.ToArray())}] on the calibration data, "
            + "which does not fit its weight: is it data of another model?");

    /// <summary>The rows of a matrix [..., K], or of a transposed one [K, rows].</summary>
    private sealed class MatrixRows(NodeProto node, ChannelView layout, bool isTransposed) : LayerRows(layout, groups: 1)
    {
        public override int Count(ReadOnlySpan<long> shape)
        {
            if (shape.Length == 0 || shape[isTransposed ? 0 : ^1] != Length) throw Misfit(node, shape);
            long count = 1;
            foreach (long extent in shape) count *= extent;
            return (int)(count / Length);
        }

        public override void Gather(ReadOnlySpan<float> input, ReadOnlySpan<long> shape, int group, int first, Span<float> rows)
        {
            if (!isTransposed)
            {
                input.Slice(first * Length, rows.Length).CopyTo(rows);
                return;
            }

            int columns = input.Length / Length;
            for (int i = 0; i < rows.Length; i++) rows[i] = input[(i % Length * columns) + first + (i / Length)];
        }
    }
}
