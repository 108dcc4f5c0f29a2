using System.Runtime.CompilerServices;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Tiers;

/// <summary>
/// The factors that convert a panel's integer accumulators to its output, float or uint8: one value per channel of the panel, and the
/// output's form.
/// </summary>
internal unsafe struct PanelEpilogue
{
    /// <summary>x_scale * w_scale, rounded once; divided by y_scale and rounded again where the output is uint8.</summary>
    public fixed float Scale[NestedLayout.PanelChannels];

    /// <summary>The bias, divided by y_scale where the output is uint8; 0 where the operator has none.</summary>
    public fixed float Bias[NestedLayout.PanelChannels];

    /// <summary>The weights' zero points; 0 where the operator has none.</summary>
    public fixed int ZeroPoint[NestedLayout.PanelChannels];

    /// <summary>x's zero point * the sum of the weights, where rows are not centered; else 0.</summary>
    public fixed int RowCentering[NestedLayout.PanelChannels];

    /// <summary>Whether any of the weights' zero points is not 0.</summary>
    public bool HasZeroPoint;

    /// <summary>Whether the output is uint8.</summary>
    public bool IsQuantized;

    /// <summary>y's zero point.</summary>
    public int OutputZeroPoint;

    /// <summary>The least result before the output's zero point is added, an integer.</summary>
    public float Least;

    /// <summary>The greatest result before the output's zero point is added, an integer.</summary>
    public float Greatest;

    /// <summary>The reference formula; every tier's <see cref="KernelTier.Store"/> gives the same bits.</summary>
    /// <param name="sum">Exact sum of x * w over k, both centered on the activations' zero point only.</param>
    /// <param name="rowSum">Exact sum of the row's centered activations.</param>
    /// <param name="channel">Channel of the panel.</param>
    /// <param name="row">The output of the panel's channel 0; its float or byte number <paramref name="channel"/> is written.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Write(long sum, long rowSum, int channel, byte* row)
    {
        float product = (float)(sum - ZeroPoint[channel] * rowSum) * Scale[channel];
        float result = product + Bias[channel];
        if (IsQuantized)
            row[channel] = (byte)((int)MathF.Round(MathF.Min(MathF.Max(result, Least), Greatest)) + OutputZeroPoint);
        else
            ((float*)row)[channel] = result;
    }
}
