using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Schema;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>
/// Bilinear interpolation of quantized maps, rounded to nearest; ONNX Runtime's own Resize rounds bytes down. The result has the scale and
/// zero point of X.
/// </summary>
internal sealed class QLinearResize() : CustomOperator(OperatorSet.QLinearResize)
{
    private const int Axes = 2;

    /// <inheritdoc/>
    public override CustomKernel CreateKernel(in KernelInfo info)
    {
        string coordinates = info.String(OperatorAttributes.Coordinates);
        return ResizeCoordinates.All.Contains(coordinates)
            ? new Kernel(info.Schema, coordinates)
            : throw new OperatorException(
                $"attribute '{AttributeNames.Coordinates}' is '{coordinates}', {string.Join(", ", ResizeCoordinates.All)} expected");
    }

    /// <inheritdoc/>
    public override void InferShape(in ShapeInference inference)
    {
        if (inference.InputShape(InputNames.X) is [var samples, _, _, var channels])
            inference.SetOutput([samples, -1, -1, channels]);
    }

    private sealed unsafe class Kernel(OperatorSchema schema, string coordinates) : CustomKernel
    {
        // Those of the last run, which the next one mostly needs too.
        private ResizeAxis? _rows, _columns;

        public override void Compute(in KernelContext context)
        {
            TensorView x = context.Input(schema[InputNames.X]);
            byte* values = x.Bytes();
            ReadOnlySpan<long> shape = x.Shape;
            if (shape.Length != Axes + 2)
                throw new OperatorException(Invariant($"input '{InputNames.X}' has {shape.Length} dimensions, [N, H, W, C] expected"));
            int height = Extent(shape[1]), width = Extent(shape[2]);
            (ResizeAxis rows, ResizeAxis columns) = context.TryInput(schema[InputNames.Scales], out TensorView scales)
                ? (Scaled(ref _rows, height, scales.Floats(Axes)[0]), Scaled(ref _columns, width, scales.Floats(Axes)[1]))
                : Sized(height, width, context.Input(schema[InputNames.Sizes]));
            byte* y = (byte*)context.Output([shape[0], rows.Low.Length, columns.Low.Length, shape[3]]);
            LinearResize.Run(values, y, checked((int)shape[0]), rows, columns, checked((int)shape[3]), context.Loop);
        }

        private ResizeAxis Scaled(ref ResizeAxis? last, int source, float scale) => float.IsFinite(scale) && scale > 0
            ? Axis(ref last, source, Extent((long)(scale * source)), scale)
            : throw new OperatorException(Invariant($"input '{InputNames.Scales}' holds {scale}, a finite positive scale expected"));

        private (ResizeAxis Rows, ResizeAxis Columns) Sized(int height, int width, TensorView sizes)
        {
            if (sizes.Count != Axes)
                throw new OperatorException(Invariant($"input '{InputNames.Sizes}' has {sizes.Count} elements, {Axes} expected"));
            int rows = Extent(sizes.Indices()[0]), columns = Extent(sizes.Indices()[1]);
            return (Axis(ref _rows, height, rows, (float)rows / height), Axis(ref _columns, width, columns, (float)columns / width));
        }

        private ResizeAxis Axis(ref ResizeAxis? last, int source, int extent, float scale)
        {
            // Runs at the same time may replace it, but nothing changes an axis.
            ResizeAxis? known = last;
            return known is not null && known.Serves(source, extent, scale)
                ? known
                : last = ResizeAxis.Of(source, extent, scale, coordinates);
        }

        private static int Extent(long extent) => extent is > 0 and <= ResizeCoordinates.MostExtent
            ? (int)extent
            : throw new OperatorException(
                Invariant($"it has or makes maps of the extent {extent}, 1 to {ResizeCoordinates.MostExtent} expected"));
    }
}
