using System.Runtime.InteropServices;
using CsCheck;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Kernels.Convolutions;

/// <summary>A random convolution: its tensors, and its result by the textbook.</summary>
internal sealed unsafe class ConvolutionCase
{
    private readonly sbyte[] _weights;

    public ConvolutionCase(ConvolutionGeometry geometry, NestedBits bits, int seed, int largestZeroPoint, bool isPart, bool extreme = false)
        : this(geometry, bits, seed, largestZeroPoint, isPart ? bits.High : bits.Full, extreme)
    {
    }

    public ConvolutionCase(
        ConvolutionGeometry geometry, NestedBits bits, int seed, int largestZeroPoint, int level, bool extreme = false,
        bool hasPartRows = false, int? layoutVersion = null)
    {
        Geometry = geometry;
        Level = level;
        ChannelView view = new(geometry.OutputChannels, geometry.ChannelsPerGroup, 1, geometry.Taps);
        Layout = layoutVersion is { } version ? new NestedLayout(bits, view, version) : new NestedLayout(bits, view);
        sbyte[][] values = RandomWeights.CreateSteps(Layout, seed);
        Random random = new(seed);
        X = new byte[(long)geometry.Batch * geometry.Height.Input * geometry.Width.Input * geometry.InputChannels];
        random.NextBytes(X);
        XZeroPoint = random.Next(5) switch { 0 => 0, 1 => 255, 2 => 128, _ => (byte)random.Next(256) };
        if (extreme)
        {
            // The largest sums there are: every product is 255 * -2^(n-1).
            values[0].AsSpan().Fill((sbyte)-(1 << (bits.High - 1)));
            foreach (sbyte[] low in values[1..])
                low.AsSpan().Clear();
            X.AsSpan().Fill(255);
            XZeroPoint = 0;
        }

        Operands = [.. Enumerable.Range(0, bits.Count).Select(step => new byte[Layout.ByteLength(step)])];
        NestedPacker.Pack(Layout, values, Operands);
        _weights = RandomWeights.Level(bits, values, level);
        XScale = random.NextSingle() + 0.01f;
        WScale = [.. Enumerable.Range(0, geometry.OutputChannels).Select(_ => random.NextSingle() * 0.1f + 1e-4f)];
        Bias = random.Next(3) == 0 ? null : [.. Enumerable.Range(0, geometry.OutputChannels).Select(_ => random.NextSingle() - 0.5f)];
        WZeroPoint = largestZeroPoint == 0
            ? null
            : [
                .. Enumerable.Range(0, geometry.OutputChannels).Select(_ => (int)random.NextInt64(-largestZeroPoint, largestZeroPoint + 1L))
            ];
        if (hasPartRows)
        {
            int rows = (bits.Count - 1) * geometry.OutputChannels;
            PartScale = [.. Enumerable.Range(0, rows).Select(_ => random.NextSingle() * 0.1f + 1e-4f)];
            PartBias = [.. Enumerable.Range(0, rows).Select(_ => random.NextSingle() - 0.5f)];
        }
    }

    public static Gen<ConvolutionGeometry> Geometries { get; } =
        from batch in Gen.Int[1, 3]
        from height in Axes
        from width in Axes
        from kind in Gen.Int[0, 3]
        from groups in Gen.Int[2, 5]
        from channels in Gen.Int[1, 37]
        from outputs in Gen.Int[1, 45]
        select kind switch
        {
            0 => new ConvolutionGeometry(batch, height, width, channels + 1, 1, channels + 1),
            1 => new ConvolutionGeometry(batch, height, width, groups, channels % 9 + 1, groups * (outputs % 19 + 1)),
            _ => new ConvolutionGeometry(batch, height, width, 1, channels, outputs),
        };

    private static Gen<ConvolutionAxis> Axes =>
        from kernel in Gen.Int[1, 4]
        from stride in Gen.Int[1, 3]
        from dilation in Gen.Int[1, 2]
        from padBegin in Gen.Int[0, 4]
        from padEnd in Gen.Int[0, 3]
        from extra in Gen.Int[0, 7]
        let span = (kernel - 1) * dilation + 1
        let input = Math.Max(1, span - padBegin - padEnd + extra)
        select new ConvolutionAxis(input, kernel, stride, dilation, padBegin, (input + padBegin + padEnd - span) / stride + 1);

    public ConvolutionGeometry Geometry { get; }

    public NestedLayout Layout { get; }

    public int Level { get; }

    public byte[][] Operands { get; }

    public byte[] HighBytes => Operands[0];

    public byte[] LowBytes => Operands[1];

    public byte[] X { get; }

    public byte XZeroPoint { get; set; }

    public float XScale { get; }

    public float[] WScale { get; }

    public int[]? WZeroPoint { get; }

    public float[]? Bias { get; }

    public float[]? PartScale { get; }

    public float[]? PartBias { get; }

    /// <summary>The scales of the level.</summary>
    public ReadOnlySpan<float> LevelScale => Row(PartScale) is { IsEmpty: false } row ? row : WScale;

    /// <summary>The bias of the level; empty for none.</summary>
    public ReadOnlySpan<float> LevelBias => Row(PartBias) is { IsEmpty: false } row ? row : Bias;

    /// <summary>The weight as integers, in its own order.</summary>
    public ReadOnlySpan<sbyte> Weights => _weights;

    public float[] Run(KernelTier tier, ParallelLoop loop)
    {
        float[] y = new float[(long)Geometry.Rows * Geometry.OutputChannels];
        y.AsSpan().Fill(float.NaN);
        Run(NewKernel(tier), loop, MemoryMarshal.AsBytes(y.AsSpan()), null, times: 1);
        return y;
    }

    public byte[] RunQuantized(KernelTier tier, ParallelLoop loop, Requantization requantization, PanelCache? cache = null)
    {
        byte[] y = new byte[(long)Geometry.Rows * Geometry.OutputChannels];
        Run(NewKernel(tier), loop, y, requantization, times: 1, cache);
        return y;
    }

    /// <summary>Runs one kernel several times over the same operands, which are constant, and returns each run's output and plan.</summary>
    public List<(byte[] Y, ConvolutionPlan? Made)> RunRepeatedly(
        NestedConvolution kernel, ParallelLoop loop, Requantization requantization, int times, PanelCache? cache = null)
    {
        byte[] y = new byte[(long)Geometry.Rows * Geometry.OutputChannels];
        return Run(kernel, loop, y, requantization, times, cache, areConstant: true);
    }

    /// <summary>The weight as floats, in its own order.</summary>
    public float[] DequantizedWeights()
    {
        float[] scale = LevelScale.ToArray();
        return
        [
            .. _weights.Select(
                (w, i) => (w - (WZeroPoint?[i / Layout.View.WeightsPerChannel] ?? 0)) * scale[i / Layout.View.WeightsPerChannel]),
        ];
    }

    /// <summary>The bias of the level as a vector, zeros for none.</summary>
    public float[] DequantizedBias() => LevelBias.IsEmpty ? new float[Geometry.OutputChannels] : LevelBias.ToArray();

    /// <summary>The definition of the float result.</summary>
    public float[] Expected()
    {
        long[] sums = Sums();
        float[] y = new float[sums.Length];
        for (int i = 0; i < y.Length; i++)
        {
            int m = i % Geometry.OutputChannels;
            float scaled = sums[i] * (XScale * LevelScale[m]);
            y[i] = scaled + (LevelBias.IsEmpty ? 0f : LevelBias[m]);
        }

        return y;
    }

    /// <summary>The definition of the requantized result.</summary>
    public byte[] ExpectedQuantized(Requantization requantization)
    {
        long[] sums = Sums();
        byte[] y = new byte[sums.Length];
        for (int i = 0; i < y.Length; i++)
        {
            int m = i % Geometry.OutputChannels;
            float factor = XScale * LevelScale[m];
            factor /= requantization.Scale;
            float bias = (LevelBias.IsEmpty ? 0f : LevelBias[m]) / requantization.Scale;
            float scaled = sums[i] * factor;
            float result = scaled + bias;
            double rounded = Math.Round((double)result, MidpointRounding.ToEven) + requantization.ZeroPoint;
            y[i] = (byte)Math.Clamp(rounded, requantization.ClampMin, requantization.ClampMax);
        }

        return y;
    }

    private static NestedConvolution NewKernel(KernelTier tier) => new(tier, threads: 4);

    /// <summary>Runs a kernel on tensors that end where their memory ends; the last output is left in y.</summary>
    private List<(byte[] Y, ConvolutionPlan? Made)> Run(
        NestedConvolution kernel, ParallelLoop loop, Span<byte> y, Requantization? requantization, int times, PanelCache? cache = null,
        bool areConstant = false)
    {
        List<(byte[], ConvolutionPlan?)> runs = [];
        using GuardedOperands operands = new(Operands);
        using GuardedMemory x = new(X), target = new(y), wScale = GuardedMemory.Of(LevelScale), bias = GuardedMemory.Of(LevelBias);
        using GuardedMemory wZeroPoint = GuardedMemory.Of<int>(WZeroPoint);
        PanelSource weights = new(Layout, operands.At(Layout.Bits, Level), cache, areConstant);
        ChannelFactors factors = new(
            (float*)wScale.Address,
            WZeroPoint is null ? null : (int*)wZeroPoint.Address,
            LevelBias.IsEmpty ? null : (float*)bias.Address,
            Geometry.OutputChannels);
        for (int run = 0; run < times; run++)
        {
            y.CopyTo(target.Bytes);
            ConvolutionData data = new(x.Address, XZeroPoint, XScale, factors, target.Address, requantization);
            ConvolutionPlan? made = kernel.Run(Geometry, weights, data, loop);
            runs.Add((target.Bytes.ToArray(), made));
        }

        target.Bytes.CopyTo(y);
        return runs;
    }

    private ReadOnlySpan<float> Row(float[]? rows) => rows is null || Level == Layout.Bits.Full
        ? default
        : rows.AsSpan((Layout.Bits.IndexOf(Level) - 1) * Geometry.OutputChannels, Geometry.OutputChannels);

    /// <summary>The definition of the sums, element by element in 64-bit integers.</summary>
    private long[] Sums()
    {
        ConvolutionGeometry g = Geometry;
        ChannelView view = Layout.View;
        long[] sums = new long[(long)g.Rows * g.OutputChannels];
        for (int i = 0; i < sums.Length; i++)
        {
            int m = i % g.OutputChannels;
            int position = i / g.OutputChannels;
            int ox = position % g.Width.Output;
            int oy = position / g.Width.Output % g.Height.Output;
            int image = position / g.Width.Output / g.Height.Output;
            int group = m / g.OutputsPerGroup;
            long sum = 0;
            for (int c = 0; c < g.ChannelsPerGroup; c++)
            {
                for (int tap = 0; tap < g.Taps; tap++)
                {
                    int iy = oy * g.Height.Stride - g.Height.PadBegin + tap / g.Width.Kernel * g.Height.Dilation;
                    int ix = ox * g.Width.Stride - g.Width.PadBegin + tap % g.Width.Kernel * g.Width.Dilation;
                    if (iy < 0 || iy >= g.Height.Input || ix < 0 || ix >= g.Width.Input)
                        continue;
                    int x = X[((image * g.Height.Input + iy) * g.Width.Input + ix) * g.InputChannels + group * g.ChannelsPerGroup + c];
                    long w = _weights[(m * view.Inner + c) * view.Taps + tap];
                    sum += (x - XZeroPoint) * (w - (WZeroPoint?[m] ?? 0));
                }
            }

            sums[i] = sum;
        }

        return sums;
    }
}
