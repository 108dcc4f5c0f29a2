using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>
/// Multiplies quantized activations with a nested weight matrix: Y = (X - x_zero_point) * x_scale times W, plus B, summed in exact
/// integers. NestedGemm's result is float: compare ONNX MatMul and Gemm. NestedQLinearGemm's is uint8: compare ONNX QLinearMatMul.
/// </summary>
/// <param name="schema">NestedGemm or NestedQLinearGemm.</param>
internal sealed class NestedGemm(OperatorSchema schema) : CustomOperator(schema)
{
    /// <inheritdoc/>
    public override CustomKernel CreateKernel(in KernelInfo info)
    {
        int[] shape = WeightAttributes.Shape(info);
        ChannelView view = WeightAttributes.ChannelView(info, shape);
        bool isMatrix = shape.Length == 2 && view.Taps == 1;
        bool isRowPerInput = isMatrix && view.Groups == 1 && view.Inner == shape[0];
        bool isRowPerOutput = isMatrix && view.Channels == 1 && view.Inner == shape[1];
        if (!isRowPerInput && !isRowPerOutput)
            throw new OperatorException(
                "attribute 'channel_view' does not fit a matrix: [1, K, N, 1] for the shape [K, N] or [N, K, 1, 1] for [N, K]");
        NestedWeight weight = new(info, view);
        QuantizedOutput? output = Schema.HasQuantizedOutput ? new QuantizedOutput(info) : null;
        return new Kernel(new QuantizedInput(Schema), weight, output);
    }

    /// <inheritdoc/>
    public override void InferShape(in ShapeInference inference)
    {
        if (inference.InputShape(InputNames.X) is not { Length: > 0 } shape
            || inference.Ints(OperatorAttributes.ChannelView) is not { Length: 4 } view)
            return;
        shape[^1] = view[0] * view[2];
        inference.SetOutput(shape);
    }

    private sealed unsafe class Kernel(QuantizedInput input, NestedWeight weight, QuantizedOutput? output) : CustomKernel
    {
        private ConvolutionShape? _shape;

        public override void Compute(in KernelContext context)
        {
            QuantizedActivations x = input.Bind(context);
            ConvolutionShape shape = _shape = _shape?.Matches(x.Shape) == true ? _shape : Shape(x.Shape);
            PanelSource source = weight.Bind(context);
            ChannelFactors factors = weight.Factors.Bind(context, source.Level);
            Requantization? requantization = output?.Bind(context);
            void* y = context.Output(shape.Output);
            ConvolutionData data = new(x.Data, x.ZeroPoint, x.Scale, factors, y, requantization);
            context.Tell(weight.Convolution.Run(shape.Geometry, source, data, context.Loop));
        }

        private ConvolutionShape Shape(ReadOnlySpan<long> x)
        {
            ChannelView view = weight.Layout.View;
            if (x.Length == 0 || x[^1] != view.Inner)
                throw new OperatorException(Invariant($"X has the shape {WeightAttributes.Text(x)}, [..., {view.Inner}] expected"));
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
}
