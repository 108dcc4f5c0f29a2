using System.Runtime.InteropServices;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Kernels.Floats;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Kernels.WeightOnly;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions;

namespace NestQuant.RuntimeOps.Tests.Kernels.WeightOnly;

/// <summary>A random case whose activations are floats, and its result by the definition.</summary>
internal sealed unsafe class FloatCase
{
    public FloatCase(ConvolutionCase c, int seed, ClipBounds? bounds = null, bool hasAddend = false)
    {
        Case = c;
        Bounds = bounds ?? ClipBounds.None;
        Random random = new(seed);
        X = [.. c.X.Select(_ => random.NextSingle() * 2 - 1)];
        if (hasAddend)
            Addend = [.. Enumerable.Range(0, Geometry.Rows * Geometry.OutputChannels).Select(_ => random.NextSingle() * 2 - 1)];
    }

    /// <summary>The weight and its factors.</summary>
    public ConvolutionCase Case { get; }

    public ClipBounds Bounds { get; }

    public float[] X { get; }

    /// <summary>What a convolution adds to its results, in their order.</summary>
    public float[]? Addend { get; }

    private ConvolutionGeometry Geometry => Case.Geometry;

    private int Positions => Geometry.Height.Output * Geometry.Width.Output;

    /// <summary>The convolution of [N, C, H, W].</summary>
    public float[] Convolve(KernelTier tier, ParallelLoop loop, int threads = 4) => Run(
        Addend,
        (weights, factors, x, addend, y) =>
            new FloatConvolution(tier, threads, Geometry, Case.Layout, Bounds)
                .Run(weights, factors, (float*)x, (float*)addend, (float*)y, loop));

    /// <summary>The same by rows, in one group.</summary>
    public float[] ConvolveRows(KernelTier tier, ParallelLoop loop, int threads = 4) => Run(
        Addend,
        (weights, factors, x, addend, y) =>
            new FloatRowConvolution(tier, threads, Geometry, Case.Layout, Bounds)
                .Run(weights, factors, (float*)x, (float*)addend, (float*)y, loop));

    /// <summary>The same with one input channel for each output.</summary>
    public float[] ConvolveDepthwise(KernelTier tier, ParallelLoop loop, int threads = 4) => Run(
        Addend,
        (weights, factors, x, addend, y) =>
            new FloatDepthwise(tier, threads, Geometry, Bounds).Run(weights, factors, (float*)x, (float*)addend, (float*)y, loop));

    /// <summary>The product of rows of K.</summary>
    public float[] Multiply(KernelTier tier, ParallelLoop loop, int threads = 4) => Run(
        added: null,
        (weights, factors, x, addend, y) =>
            new FloatProduct(tier, threads, Geometry, Case.Layout, Bounds)
                .Run(weights, factors, (float*)x, (float*)addend, (float*)y, loop));

    /// <summary>The definition of the convolution, with channels second.</summary>
    public float[] ExpectedConvolution()
    {
        ConvolutionGeometry g = Geometry;
        int plane = g.Height.Input * g.Width.Input;
        float[] y = new float[(long)g.Rows * g.OutputChannels];
        for (int i = 0; i < y.Length; i++)
        {
            (int imageChannel, int position) = Math.DivRem(i, Positions);
            (int image, int m) = Math.DivRem(imageChannel, g.OutputChannels);
            (int oy, int ox) = Math.DivRem(position, g.Width.Output);
            int firstChannel = image * g.InputChannels + m / g.OutputsPerGroup * g.ChannelsPerGroup;
            float result = Result(m, (tap, channel) =>
            {
                int iy = oy * g.Height.Stride - g.Height.PadBegin + tap / g.Width.Kernel * g.Height.Dilation;
                int ix = ox * g.Width.Stride - g.Width.PadBegin + tap % g.Width.Kernel * g.Width.Dilation;
                bool isInside = iy >= 0 && iy < g.Height.Input && ix >= 0 && ix < g.Width.Input;
                return isInside ? X[(firstChannel + channel) * plane + iy * g.Width.Input + ix] : 0;
            });
            y[i] = Bounded(Addend is null ? result : result + Addend[i]);
        }

        return y;
    }

    /// <summary>The definition of the product.</summary>
    public float[] ExpectedProduct()
    {
        ConvolutionGeometry g = Geometry;
        return [.. from row in Enumerable.Range(0, g.Rows)
                   from m in Enumerable.Range(0, g.OutputChannels)
                   select Bounded(Result(m, (_, k) => X[row * g.ReductionLength + k]))];
    }

    private float Result(int m, Func<int, int, float> input)
    {
        int channels = Geometry.ChannelsPerGroup, taps = Geometry.Taps;
        float sum = 0;
        for (int tap = 0; tap < taps; tap++)
        {
            for (int channel = 0; channel < channels; channel++)
            {
                float weight = Case.Weights[(m * channels + channel) * taps + tap] - (float)(Case.WZeroPoint?[m] ?? 0);
                sum = MathF.FusedMultiplyAdd(input(tap, channel), weight, sum);
            }
        }

        return MathF.FusedMultiplyAdd(sum, Case.LevelScale[m], Case.LevelBias.IsEmpty ? -0f : Case.LevelBias[m]);
    }

    private float Bounded(float value) => value < Bounds.Min ? Bounds.Min : value > Bounds.Max ? Bounds.Max : value;

    private float[] Run(float[]? added, KernelRun run)
    {
        float[] y = new float[(long)Geometry.Rows * Geometry.OutputChannels];
        y.AsSpan().Fill(float.NaN);
        using GuardedOperands operands = new(Case.Operands);
        using GuardedMemory x = GuardedMemory.Of<float>(X), addend = GuardedMemory.Of<float>(added), target = GuardedMemory.Of<float>(y);
        fixed (float* scale = Case.LevelScale, bias = Case.LevelBias)
        fixed (int* zeroPoint = Case.WZeroPoint)
        {
            PanelSource weights = new(Case.Layout, operands.At(Case.Layout.Bits, Case.Level));
            ChannelFactors factors = new(scale, zeroPoint, bias, Geometry.OutputChannels);
            run(weights, factors, (nint)x.Address, added is null ? 0 : (nint)addend.Address, (nint)target.Address);
        }

        target.Bytes.CopyTo(MemoryMarshal.AsBytes(y.AsSpan()));
        return y;
    }

    private delegate void KernelRun(PanelSource weights, ChannelFactors factors, nint x, nint addend, nint y);
}
