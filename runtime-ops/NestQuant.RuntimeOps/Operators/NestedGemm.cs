using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels;
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
        return new Kernel(new QuantizedInput(Schema, weight.Layout.Bits), weight, output);
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
        public override void Compute(in KernelContext context)
        {
            QuantizedActivations x = input.Bind(context);
            ChannelView view = weight.Layout.View;
            if (x.Shape.Length == 0 || x.Shape[^1] != view.Inner)
                throw new OperatorException(Invariant($"X has the shape {WeightAttributes.Text(x.Shape)}, [..., {view.Inner}] expected"));
            long rows = 1;
            foreach (long dimension in x.Shape[..^1])
                rows = checked(rows * dimension);
            if (rows > int.MaxValue)
                throw new OperatorException(Invariant($"X has {rows} rows, more than 2^31 - 1"));

            ConvolutionGeometry geometry = new(
                1, ConvolutionAxis.Single, ConvolutionAxis.Rows((int)rows), 1, view.Inner, view.OutputChannels);
            PanelSource source = weight.Bind(context, out float* scale, out int* zeroPoint);
            float* bias = input.Bias(context, view.OutputChannels, source.Level);
            long[] outputShape = x.Shape.ToArray();
            outputShape[^1] = view.OutputChannels;
            Requantization? requantization = output?.Bind(context);
            ConvolutionData data = new(x.Data, x.ZeroPoint, x.Scale, scale, zeroPoint, bias, context.Output(outputShape), requantization);
            NestedConvolution.Run(weight.Tier, geometry, source, data, context.Loop);
        }
    }
}
