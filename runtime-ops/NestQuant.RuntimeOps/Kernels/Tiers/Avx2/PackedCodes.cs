using System.Runtime.CompilerServices;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>Codes in bit planes, as operands have them.</summary>
internal readonly unsafe struct PackedCodes : ICodes
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int BlockBytes(int width) => NestedLayout.PanelChannels * width;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static QuarterCodes Quarter(byte* block, int width, int quarter) => QuarterCodes.Unpack(block, width, quarter);
}
