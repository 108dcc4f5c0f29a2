using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Tiers;

namespace NestQuant.RuntimeOps.Kernels.WeightOnly;

/// <summary>The factors of one panel's channels as floats, in the form that the inner loops read.</summary>
internal unsafe ref struct PanelFloats
{
    private const int Channels = KernelTier.TileChannels;

    /// <summary>Floats of the memory that <see cref="PanelFloats(in ChannelFactors, int, int, float*)"/> needs.</summary>
    public const int Length = 2 * Channels;

    /// <summary>Finds the factors.</summary>
    /// <param name="factors">Those of all channels.</param>
    /// <param name="firstChannel">The panel's first channel.</param>
    /// <param name="channels">Channels of the panel, 1 to 32.</param>
    /// <param name="memory"><see cref="Length"/> floats, used as long as the panel.</param>
    public PanelFloats(in ChannelFactors factors, int firstChannel, int channels, float* memory)
    {
        // In bounds: the panel's channels exist, and copies have room for 32.
        Scale = factors.Scale + firstChannel;
        Bias = factors.Bias == null ? memory : factors.Bias + firstChannel;
        // A sum plus -0 is the sum, whatever its sign.
        if (factors.Bias == null)
            new Span<float>(memory, Channels).Fill(-0f);
        if (factors.ZeroPoint == null)
            return;
        ZeroPoints = memory + Channels;
        new Span<float>(ZeroPoints, Channels).Clear();
        for (int channel = 0; channel < channels; channel++)
            ZeroPoints[channel] = factors.ZeroPoint[firstChannel + channel];
    }

    /// <summary>One scale per channel.</summary>
    public float* Scale { get; }

    /// <summary>One bias per channel.</summary>
    public float* Bias { get; }

    /// <summary>32 zero points; null where all are 0.</summary>
    public float* ZeroPoints { get; }
}
