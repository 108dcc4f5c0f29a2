using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>
/// Rows of a nested table, such as the embeddings of tokens: the rows that a run asks for are decoded, the others are not read. Compare
/// ONNX Gather, axis 0.
/// </summary>
internal sealed class NestedGather() : CustomOperator(OperatorSet.NestedGather)
{
    /// <inheritdoc/>
    public override CustomKernel CreateKernel(in KernelInfo info)
    {
        int[] shape = WeightAttributes.Shape(info);
        ChannelView view = WeightAttributes.ChannelView(info, shape);
        if (view != new ChannelView(shape[0], view.Inner, 1, 1))
            throw new OperatorException(Invariant(
                $"attribute 'channel_view' does not fit a table of {shape[0]} rows: [{shape[0]}, values of a row, 1, 1] expected"));
        NestedWeight table = new(info, view, WeightAccess.Rows);
        int threads = ThreadCount.Parse(info.ConfigEntry(SessionEntries.Threads));
        return new Kernel(info.Schema[InputNames.Indices], table, [.. shape[1..]], threads);
    }

    /// <inheritdoc/>
    public override void InferShape(in ShapeInference inference)
    {
        if (inference.InputShape(InputNames.Indices) is { } indices
            && inference.Ints(OperatorAttributes.Shape) is { Length: > 0 } shape)
            inference.SetOutput([.. indices, .. shape[1..]]);
    }

    private sealed unsafe class Kernel(InputSchema input, NestedWeight table, long[] rowShape, int threads) : CustomKernel
    {
        public override void Compute(in KernelContext context)
        {
            TensorView tensor = context.Input(input);
            IndexList indices = tensor.Indices();
            RequireRows(indices, tensor.Count);
            PanelSource source = table.Bind(context);
            ChannelFactors factors = table.Factors.Bind(context, source.Level);
            float* rows = context.FloatOutput([.. tensor.Shape, .. rowShape]);
            NestedRows.Run(source, factors, indices, tensor.Count, rows, threads, context.Loop);
        }

        private void RequireRows(IndexList indices, long count)
        {
            int rows = table.Layout.View.OutputChannels;
            for (long i = 0; i < count; i++)
            {
                if (indices[i] < -rows || indices[i] >= rows)
                {
                    throw new OperatorException(Invariant(
                        $"{input.Name}[{i}] is {indices[i]}: the table has {rows} rows, so that indices go from -{rows} to {rows - 1}"));
                }
            }
        }
    }
}
