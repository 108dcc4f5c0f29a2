using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>The attributes of a matrix product, whose right side is the weight.</summary>
/// <param name="view">The weight's channel view: [1, K, M, 1] or [M, K, 1, 1].</param>
internal sealed class GemmAttributes(ChannelView view)
{
    /// <summary>The weight's channel view.</summary>
    public ChannelView View => view;

    /// <summary>Reads the attributes of a node.</summary>
    /// <exception cref="OperatorException">The weight is not a matrix.</exception>
    public static GemmAttributes Read(in KernelInfo info)
    {
        int[] shape = WeightAttributes.Shape(info);
        ChannelView view = WeightAttributes.ChannelView(info, shape);
        bool isMatrix = shape.Length == 2 && view.Taps == 1;
        bool isRowPerInput = isMatrix && view.Groups == 1 && view.Inner == shape[0];
        bool isRowPerOutput = isMatrix && view.Channels == 1 && view.Inner == shape[1];
        return isRowPerInput || isRowPerOutput
            ? new GemmAttributes(view)
            : throw new OperatorException(
                "attribute 'channel_view' does not fit a matrix: [1, K, N, 1] for the shape [K, N] or [N, K, 1, 1] for [N, K]");
    }

    /// <summary>Infers the shape of the product's output, where X's is known.</summary>
    public static void InferShape(in ShapeInference inference)
    {
        if (inference.InputShape(InputNames.X) is not { Length: > 0 } shape
            || inference.Ints(OperatorAttributes.ChannelView) is not { Length: 4 } view)
            return;
        shape[^1] = view[0] * view[2];
        inference.SetOutput(shape);
    }

    /// <summary>The dimensions of a run.</summary>
    /// <param name="x">The shape of X.</param>
    /// <param name="last">Those of the last run, which are returned where they match.</param>
    /// <exception cref="OperatorException">X does not fit the weight.</exception>
    public ConvolutionShape Shape(ReadOnlySpan<long> x, ConvolutionShape? last)
    {
        if (last?.Matches(x) == true)
            return last;
        if (x.Length == 0 || x[^1] != view.Inner)
            throw new OperatorException(Invariant($"X has the shape {TensorView.Text(x)}, [..., {view.Inner}] expected"));
        long rows = 1;
        foreach (long dimension in x[..^1])
            rows = checked(rows * dimension);
        if (rows > int.MaxValue)
            throw new OperatorException(Invariant($"X has {rows} rows, more than 2^31 - 1"));
        ConvolutionGeometry geometry = new(
            1, ConvolutionAxis.Single, ConvolutionAxis.Rows((int)rows), 1, view.Inner, view.OutputChannels);
        return new ConvolutionShape(geometry, x.ToArray(), [.. x[..^1], view.OutputChannels]);
    }
}
