using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>One code per byte, in the order of the operands.</summary>
internal readonly unsafe struct ByteCodes : ICodes
{
    private const int GroupBytes = NestedLayout.BlockValues / 2;
    private const int QuarterBytes = GroupBytes / 4;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int BlockBytes(int width) => NestedLayout.BlockValues;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static QuarterCodes Quarter(byte* block, int width, int quarter)
    {
        QuarterCodes codes;
        codes.First = Vector256.Load(block + quarter * QuarterBytes);
        codes.Second = Vector256.Load(block + quarter * QuarterBytes + GroupBytes);
        return codes;
    }

    /// <inheritdoc/>
    /// <remarks>What has been unpacked is in the innermost cache.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ReadAhead(byte* block, int width)
    {
    }

    /// <summary>Unpacks the codes of consecutive full blocks of an operand.</summary>
    /// <typeparam name="TWidth">Width of a code.</typeparam>
    [MethodImpl(MethodCompilation.Loops)]
    public static void Unpack<TWidth>(byte* planes, int blocks, byte* codes)
        where TWidth : struct, IBitWidth
    {
        // In bounds: a block has 32 * width bytes and 256 codes.
        for (; blocks > 0; blocks--, planes += PackedCodes.BlockBytes(TWidth.Bits), codes += NestedLayout.BlockValues)
        {
            PackedCodes.ReadAhead(planes, TWidth.Bits);
            Store(QuarterCodes.Unpack(planes, TWidth.Bits, 0), codes);
            Store(QuarterCodes.Unpack(planes, TWidth.Bits, 1), codes + QuarterBytes);
            Store(QuarterCodes.Unpack(planes, TWidth.Bits, 2), codes + 2 * QuarterBytes);
            Store(QuarterCodes.Unpack(planes, TWidth.Bits, 3), codes + 3 * QuarterBytes);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(QuarterCodes quarter, byte* codes)
    {
        quarter.First.Store(codes);
        quarter.Second.Store(codes + GroupBytes);
    }
}
