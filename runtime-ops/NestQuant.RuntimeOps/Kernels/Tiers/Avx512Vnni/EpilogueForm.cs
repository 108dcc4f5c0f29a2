using System.Runtime.CompilerServices;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

/// <summary>What the code of an epilogue has to do; it does nothing else.</summary>
/// <param name="IsQuantized">Whether the output is uint8; else it is float, and there are no zero point and no bounds.</param>
/// <param name="IsMasked">Whether the panel has fewer than 32 channels.</param>
/// <param name="HasZeroPoint">Whether the output's zero point is not 0.</param>
/// <param name="IsClamped">Whether results have narrower bounds than bytes have.</param>
internal readonly record struct EpilogueForm(bool IsQuantized, bool IsMasked, bool HasZeroPoint, bool IsClamped)
{
    /// <summary>Number of forms.</summary>
    public const int Count = 10;

    private const int FirstQuantized = 2;

    /// <summary>The form's number, 0 to <see cref="Count"/> - 1.</summary>
    public int Index
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            int masked = IsMasked ? 1 : 0;
            return IsQuantized ? FirstQuantized + masked + (HasZeroPoint ? 2 : 0) + (IsClamped ? 4 : 0) : masked;
        }
    }

    /// <summary>The form of a number.</summary>
    /// <param name="index">0 to <see cref="Count"/> - 1.</param>
    public static EpilogueForm At(int index)
    {
        bool isQuantized = index >= FirstQuantized;
        int bits = isQuantized ? index - FirstQuantized : index;
        return new EpilogueForm(isQuantized, (bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0);
    }

    /// <summary>The form that a panel's factors need.</summary>
    /// <param name="epilogue">The factors.</param>
    /// <param name="channels">Channels of the panel, 1 to 32.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EpilogueForm Of(in PanelEpilogue epilogue, int channels)
    {
        bool isMasked = channels < KernelTier.TileChannels;
        int zeroPoint = epilogue.OutputZeroPoint;
        return epilogue.IsQuantized
            ? new EpilogueForm(
                true,
                isMasked,
                zeroPoint != 0,
                epilogue.Least + zeroPoint > byte.MinValue || epilogue.Greatest + zeroPoint < byte.MaxValue)
            : new EpilogueForm(false, isMasked, false, false);
    }
}
