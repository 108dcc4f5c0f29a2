using NestQuant.Onnx;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Nesting.Calibrated;

/// <summary>The inputs under the kernel of a convolution over one to three spatial axes.</summary>
internal sealed class ConvolutionRows : LayerRows
{
    /// <summary>Spatial axes that are counted; those that are missing come first and have extent 1.</summary>
    private const int Axes = 3;

    private readonly NodeProto _node;
    private readonly int _spatialAxes;
    private readonly int _channels;
    private readonly Axis[] _axes;

    private ConvolutionRows(NodeProto node, ChannelView layout, int groups, int spatialAxes, Axis[] axes)
        : base(layout, groups)
    {
        (_node, _spatialAxes, _axes) = (node, spatialAxes, axes);
        _channels = layout.Inner;
    }

    /// <summary>Reads a Conv's attributes.</summary>
    /// <param name="node">The Conv.</param>
    /// <param name="weight">Shape of its weight, [M, C / group, k...].</param>
    /// <param name="layout">Layout of its weight.</param>
    public static ConvolutionRows Of(NodeProto node, IReadOnlyList<long> weight, ChannelView layout)
    {
        int spatialAxes = weight.Count - 2, missing = Axes - spatialAxes;
        long[] strides = node.GetInts("strides") ?? [], dilations = node.GetInts("dilations") ?? [], pads = node.GetInts("pads") ?? [];
        string padding = node.GetString("auto_pad", "NOTSET");
        var axes = new Axis[Axes];
        for (int i = 0; i < Axes; i++)
        {
            int axis = i - missing;
            axes[i] = axis < 0
                ? new Axis(1, 1, 1, 0, 0, "NOTSET")
                : new Axis(
                    (int)weight[axis + 2], At(strides, axis, 1), At(dilations, axis, 1), At(pads, axis, 0), At(pads, axis + spatialAxes, 0),
                    padding);
        }

        return new ConvolutionRows(node, layout, (int)node.GetInt("group", 1), spatialAxes, axes);

        static int At(long[] values, int index, int missing) => index < values.Length ? (int)values[index] : missing;
    }

    /// <inheritdoc/>
    public override int Count(ReadOnlySpan<long> shape)
    {
        if (shape.Length != _spatialAxes + 2 || shape[1] != (long)_channels * Groups) throw Misfit(_node, shape);
        long count = shape[0];
        for (int i = 0; i < Axes; i++) count *= _axes[i].Outputs(Extent(shape, i));
        return checked((int)count);
    }

    /// <inheritdoc/>
    public override void Gather(ReadOnlySpan<float> input, ReadOnlySpan<long> shape, int group, int first, Span<float> rows)
    {
        int depth = Extent(shape, 0), height = Extent(shape, 1), width = Extent(shape, 2);
        int outputsY = _axes[1].Outputs(height), outputsX = _axes[2].Outputs(width);
        int outputs = _axes[0].Outputs(depth) * outputsY * outputsX;
        int plane = depth * height * width, position = first;
        for (; rows.Length >= Length; rows = rows[Length..], position++)
        {
            (int image, int output) = Math.DivRem(position, outputs);
            int z = _axes[0].Start(output / (outputsY * outputsX), depth);
            int y = _axes[1].Start(output / outputsX % outputsY, height), x = _axes[2].Start(output % outputsX, width);
            ReadOnlySpan<float> maps = input.Slice(((image * Groups) + group) * _channels * plane, _channels * plane);
            int target = 0;
            for (int channel = 0; channel < _channels; channel++)
                for (int k = 0; k < _axes[0].Kernel; k++)
                    for (int j = 0; j < _axes[1].Kernel; j++)
                    {
                        int inZ = z + (k * _axes[0].Dilation), inY = y + (j * _axes[1].Dilation);
                        bool isInside = (uint)inZ < (uint)depth && (uint)inY < (uint)height;
                        int line = (((channel * depth) + inZ) * height * width) + (inY * width);
                        for (int i = 0; i < _axes[2].Kernel; i++, target++)
                        {
                            int inX = x + (i * _axes[2].Dilation);
                            rows[target] = isInside && (uint)inX < (uint)width ? maps[line + inX] : 0;
                        }
                    }
        }
    }

    /// <summary>The extent of one of three spatial axes.</summary>
    private int Extent(ReadOnlySpan<long> shape, int axis) => axis < Axes - _spatialAxes ? 1 : (int)shape[axis - Axes + _spatialAxes + 2];

    /// <summary>A spatial axis.</summary>
    private readonly record struct Axis(int Kernel, int Stride, int Dilation, int Before, int After, string Padding)
    {
        private int Reach => (Dilation * (Kernel - 1)) + 1;

        private bool IsSame => Padding is "SAME_UPPER" or "SAME_LOWER";

        /// <summary>Output positions for an extent of the input.</summary>
        public int Outputs(int extent)
        {
            if (IsSame) return (extent + Stride - 1) / Stride;
            int padded = extent + (Padding == "VALID" ? 0 : Before + After);
            return Math.Max(((padded - Reach) / Stride) + 1, 0);
        }

        /// <summary>Where the kernel starts in the input at an output position.</summary>
        public int Start(int output, int extent)
        {
            int before = Padding == "NOTSET" ? Before : 0;
            if (IsSame)
            {
                int padding = Math.Max(((Outputs(extent) - 1) * Stride) + Reach - extent, 0);
                before = Padding == "SAME_UPPER" ? padding / 2 : padding - (padding / 2);
            }

            return (output * Stride) - before;
        }
    }
}
