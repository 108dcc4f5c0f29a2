using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Schema;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>ONNX DepthToSpace in its mode DCR, of bytes that are channels last.</summary>
internal sealed class NhwcDepthToSpace() : CustomOperator(OperatorSet.NhwcDepthToSpace)
{
    private const int MostBlock = 1024;

    /// <inheritdoc/>
    public override CustomKernel CreateKernel(in KernelInfo info)
    {
        long block = info.Int(OperatorAttributes.BlockSize);
        return block is >= 1 and <= MostBlock
            ? new Kernel(info.Schema[InputNames.X], (int)block)
            : throw new OperatorException(
                Invariant($"attribute '{AttributeNames.BlockSize}' is {block}, 1 to {MostBlock} expected"));
    }

    /// <inheritdoc/>
    public override void InferShape(in ShapeInference inference)
    {
        long block = inference.Int(OperatorAttributes.BlockSize);
        if (inference.InputShape(InputNames.X) is [var samples, var height, var width, var channels] && block is >= 1 and <= MostBlock)
            inference.SetOutput([samples, Times(height, block), Times(width, block), channels < 0 ? -1 : channels / (block * block)]);
    }

    private static long Times(long extent, long block) => extent is < 0 or > int.MaxValue ? -1 : extent * block;

    private sealed unsafe class Kernel(InputSchema input, int block) : CustomKernel
    {
        public override void Compute(in KernelContext context)
        {
            TensorView x = context.Input(input);
            byte* values = x.Bytes();
            ReadOnlySpan<long> shape = x.Shape;
            if (shape.Length != 4 || shape[3] % (block * block) != 0)
                throw new OperatorException(Invariant($"input '{input.Name}' has the shape {TensorView.Text(shape)}: ")
                    + Invariant($"[N, H, W, C] with a multiple of {block * block} channels expected"));
            int rows = checked((int)(shape[0] * shape[1])), channels = checked((int)(shape[3] / (block * block)));
            byte* y = (byte*)context.Output([shape[0], shape[1] * block, shape[2] * block, channels]);
            ChannelBlocks.Run(values, y, x.Count == 0 ? 0 : rows, checked((int)shape[2]), block, channels, context.Loop);
        }
    }
}
