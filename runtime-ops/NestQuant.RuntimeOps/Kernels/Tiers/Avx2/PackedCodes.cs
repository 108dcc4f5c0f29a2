using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>Codes in bit planes, as operands have them.</summary>
internal readonly unsafe struct PackedCodes : ICodes
{
    // Far enough ahead for memory to answer, and near enough to stay in the innermost cache: 10 to 20 blocks.
    private const int Distance = 2048;
    private const int CacheLine = 64;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int BlockBytes(int width) => NestedLayout.PanelChannels * width;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static QuarterCodes Quarter(byte* block, int width, int quarter) => QuarterCodes.Unpack(block, width, quarter);

    /// <inheritdoc/>
    /// <remarks>
    /// A processor's own prefetcher stops at pages, so that weights come from memory at half of its speed without this. A request for
    /// an address that does not exist is dropped.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ReadAhead(byte* block, int width)
    {
        for (int line = 0; line < BlockBytes(width); line += CacheLine)
            Sse.Prefetch0(block + Distance + line);
    }
}
