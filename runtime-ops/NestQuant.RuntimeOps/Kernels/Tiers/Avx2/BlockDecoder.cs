using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Packing;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>Decodes full blocks of bit planes, 32 values at a time, by shifts and masks.</summary>
internal readonly unsafe struct BlockDecoder : IBlockDecoder
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Decode<THigh, TLow, TQuarter>(byte* high, byte* low, int blocks, NestedBits bits, sbyte* values)
        where THigh : struct, IBitWidth
        where TLow : struct, IBitWidth
        where TQuarter : struct, IQuarter
    {
        // In bounds: a block reads 32 * width bytes of each operand (32 * 4, 32 * 2 and 32 * 1 per sub-plane) and has 256 values.
        Vector128<ushort> shift = Vector128.CreateScalar((ushort)bits.Shift);
        Vector256<byte> offset = Vector256.Create((byte)BlockValues.Offset(bits, steps: TLow.Bits == 0 ? 0 : 1));
        for (int block = 0; block < blocks; block++)
        {
            Part<THigh, TLow>(high, low, 2 * TQuarter.Number, shift, offset, values);
            Part<THigh, TLow>(high, low, 2 * TQuarter.Number + 1, shift, offset, values);
            high += NestedLayout.PanelChannels * THigh.Bits;
            low += NestedLayout.PanelChannels * TLow.Bits;
            values += NestedLayout.BlockValues;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Part<THigh, TLow>(byte* high, byte* low, int part, Vector128<ushort> shift, Vector256<byte> offset, sbyte* values)
        where THigh : struct, IBitWidth
        where TLow : struct, IBitWidth
    {
        // A high code is below 2^h and l + h = n <= 8, so a 16-bit shift carries nothing from one byte into the next.
        Vector256<byte> value = X86Avx2.ShiftLeftLogical(Codes<THigh>(high, part).AsUInt16(), shift).AsByte();
        if (TLow.Bits != 0)
            value += Codes<TLow>(low, part);
        (value - offset).Store((byte*)values + part * Vector256<byte>.Count);
    }

    /// <summary>Codes 32 * part to 32 * part + 31 of the block that starts at <paramref name="planes"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> Codes<TWidth>(byte* planes, int part)
        where TWidth : struct, IBitWidth
    {
        Vector256<byte> codes = Vector256<byte>.Zero;
        int position = 0;
        if ((TWidth.Bits & 4) != 0)
        {
            codes = Field(planes + part % 4 * 32, part / 4 * 4, 0x0F, 0);
            planes += 128;
            position = 4;
        }

        if ((TWidth.Bits & 2) != 0)
        {
            codes |= Field(planes + part % 2 * 32, part / 2 * 2, 0x03, position);
            planes += 64;
            position += 2;
        }

        if ((TWidth.Bits & 1) != 0)
            codes |= Field(planes, part, 0x01, position);
        return codes;
    }

    /// <summary>
    /// Moves the field at bit <paramref name="from"/> of 32 bytes to bit <paramref name="to"/>, by one shift and one AND.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> Field(byte* bytes, int from, byte mask, int to)
    {
        Vector256<ushort> words = Vector256.Load(bytes).AsUInt16();
        words = from >= to ? words >>> (from - to) : words << (to - from);
        return words.AsByte() & Vector256.Create((byte)(mask << to));
    }
}
