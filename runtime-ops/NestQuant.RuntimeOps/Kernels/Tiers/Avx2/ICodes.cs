using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>How the codes of an operand lie in memory.</summary>
internal unsafe interface ICodes
{
    /// <summary>Bytes of a full block.</summary>
    static abstract int BlockBytes<TWidth>()
        where TWidth : struct, IBitWidth;

    /// <summary>The codes of channels 8 * quarter to 8 * quarter + 7 of a block.</summary>
    /// <param name="block">The block.</param>
    /// <param name="width">Width of a code, known at compile time.</param>
    /// <param name="quarter">0 to 3, known at compile time.</param>
    static abstract QuarterCodes Quarter(byte* block, int width, int quarter);
}

/// <summary>Codes in bit planes, as operands have them.</summary>
internal readonly unsafe struct PackedCodes : ICodes
{
    /// <inheritdoc/>
    public static int BlockBytes<TWidth>()
        where TWidth : struct, IBitWidth => 32 * TWidth.Bits;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static QuarterCodes Quarter(byte* block, int width, int quarter) => QuarterCodes.Unpack(block, width, quarter);
}

/// <summary>One code per byte, in the order of the operands.</summary>
internal readonly unsafe struct ByteCodes : ICodes
{
    /// <inheritdoc/>
    public static int BlockBytes<TWidth>()
        where TWidth : struct, IBitWidth => 256;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static QuarterCodes Quarter(byte* block, int width, int quarter) => new()
    {
        First = Vector256.Load(block + 32 * quarter),
        Second = Vector256.Load(block + 128 + 32 * quarter),
    };

    /// <summary>Unpacks the codes of consecutive blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Unpack<TWidth>(byte* planes, int blocks, byte* codes)
        where TWidth : struct, IBitWidth
    {
        // In bounds: a block has 32 * width bytes and 256 codes.
        for (; blocks > 0; blocks--, planes += 32 * TWidth.Bits, codes += 256)
        {
            Store(QuarterCodes.Unpack(planes, TWidth.Bits, 0), codes);
            Store(QuarterCodes.Unpack(planes, TWidth.Bits, 1), codes + 32);
            Store(QuarterCodes.Unpack(planes, TWidth.Bits, 2), codes + 64);
            Store(QuarterCodes.Unpack(planes, TWidth.Bits, 3), codes + 96);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(QuarterCodes w, byte* codes)
    {
        w.First.Store(codes);
        w.Second.Store(codes + 128);
    }
}
