using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Kernels.Floats;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.WeightOnly;

/// <summary>
/// A convolution of floats, channels second, whose outputs each read one input channel: with the padding copied, neighbouring outputs of a
/// channel are vectors, and a tap is one weight for all of them. See <see cref="FloatConvolution"/>, which computes the same.
/// </summary>
internal sealed unsafe class FloatDepthwise : FloatPlan
{
    private const int Channels = KernelTier.TileChannels;

    private readonly Action<int> _runPart;
    private readonly FloatBand _band;
    private readonly int _positions;
    private readonly int _channelsPerPart, _partsPerImage;

    /// <summary>Prepares the runs of one shape; see <see cref="FloatConvolution"/>.</summary>
    public FloatDepthwise(KernelTier tier, int threads, ConvolutionGeometry geometry, ClipBounds bounds)
        : base(tier, geometry, bounds)
    {
        _runPart = RunPart;
        _band = new FloatBand(geometry);
        _positions = geometry.Height.Output * geometry.Width.Output;
        _channelsPerPart = Partition.UnitsPerPart(geometry.OutputChannels, Partition.WantedParts(threads), threads);
        _partsPerImage = (geometry.OutputChannels - 1) / _channelsPerPart + 1;
    }

    /// <inheritdoc/>
    public override string Name => "float-depthwise";

    private int Taps => Geometry.Taps;

    /// <summary>Whether it computes a convolution.</summary>
    public static bool Suits(ConvolutionGeometry geometry) => geometry is { Groups: > 1, ChannelsPerGroup: 1, IsPointwise: false };

    /// <inheritdoc/>
    protected override void Run(ParallelLoop loop) => loop.Run(checked(Geometry.Batch * _partsPerImage), _runPart);

    private void RunPart(int part)
    {
        // In bounds: channels end at or before the last one; the band, the sums and the weights of a panel have room for what the kernel
        // reads and writes beyond them.
        (int image, part) = Math.DivRem(part, _partsPerImage);
        int first = part * _channelsPerPart, end = Math.Min(first + _channelsPerPart, Geometry.OutputChannels);
        int groups = (Taps + 3) / 4;
        using Scratch band = new((_band.PlaneStride + FloatKernel.SpareOutputs) * sizeof(float));
        _band.ClearPadding((float*)band.Address);
        using Scratch sums = new((_positions + FloatKernel.SpareOutputs) * (long)sizeof(float));
        using Scratch values = new(groups * 4L * Channels);
        using Scratch weights = new(groups * 4L * Channels * sizeof(float));
        float* memory = stackalloc float[PanelFloats.Length];
        PanelFloats factors = default;
        for (int channel = first, input = -1, panel = -1; channel < end; channel++)
        {
            if (panel != channel / Channels)
            {
                panel = channel / Channels;
                factors = new PanelFloats(Factors, panel * Channels, Weights.Layout.ChannelsOf(panel), memory);
                Weights.Decode(Tier, panel, 0, Taps, (sbyte*)values.Address);
                FloatKernel.WidenRows((sbyte*)values.Address, groups, factors.ZeroPoints, (float*)weights.Address, groups * 4);
            }

            if (input != channel / Geometry.OutputsPerGroup)
            {
                input = channel / Geometry.OutputsPerGroup;
                nint plane = (nint)Geometry.Height.Input * Geometry.Width.Input;
                _band.CopyInside(X + ((nint)image * Geometry.InputChannels + input) * plane, (float*)band.Address);
            }

            int c = channel % Channels;
            Multiply((float*)band.Address, (float*)weights.Address + c * groups * 4, (float*)sums.Address);
            float* y = Y + ((nint)image * Geometry.OutputChannels + channel) * _positions;
            Tier.Floats.StorePositions((float*)sums.Address, factors.Scale[c], factors.Bias[c], ProductBounds, y, _positions);
            Complete(y, _positions);
        }
    }

    private void Multiply(float* band, float* weights, float* sums)
    {
        int lines = Geometry.Height.Output, columns = Geometry.Width.Output;
        fixed (nint* offsets = _band.TapOffsets)
            Tier.Floats.MultiplyTaps(band, _band.RunOffset(1), lines, columns, offsets, Taps, weights, sums);
    }
}
