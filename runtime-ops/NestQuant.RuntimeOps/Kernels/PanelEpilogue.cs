using System.Runtime.CompilerServices;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels;

/// <summary>What turns a panel's integer sums into floats, one value per channel of the panel.</summary>
internal unsafe struct PanelEpilogue
{
    /// <summary>x_scale * w_scale, rounded once.</summary>
    public fixed float Scale[NestedLayout.PanelChannels];

    /// <summary>The bias; 0 where the operator has none.</summary>
    public fixed float Bias[NestedLayout.PanelChannels];

    /// <summary>The weights' zero points; 0 where the operator has none.</summary>
    public fixed int ZeroPoint[NestedLayout.PanelChannels];

    /// <summary>Whether any zero point is not 0.</summary>
    public bool HasZeroPoint;

    /// <summary>The reference formula; every tier's <see cref="KernelTier.Store"/> equals it bit for bit.</summary>
    /// <param name="sum">Exact sum of x * w over k, both centered on the activations' zero point only.</param>
    /// <param name="rowSum">Exact sum of the row's centered activations.</param>
    /// <param name="channel">Channel of the panel.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float Apply(long sum, long rowSum, int channel)
    {
        float product = (float)(sum - ZeroPoint[channel] * rowSum) * Scale[channel];
        return product + Bias[channel];
    }
}
