using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Arm64;

/// <summary>Decodes full blocks of bit planes, 16 values at a time, by shifts and masks.</summary>
internal readonly unsafe struct BlockDecoder : IBlockDecoder
{
    private const int Vector = 16;

    /// <inheritdoc/>
    [MethodImpl(MethodCompilation.Loops)]
    public static void Decode<THigh, TLow, TQuarter>(byte* high, byte* low, int blocks, NestedBits bits, sbyte* values)
        where THigh : struct, IBitWidth
        where TLow : struct, IBitWidth
        where TQuarter : struct, IQuarter
    {
        // In bounds: a block reads 32 * width bytes of each operand (32 * 4, 32 * 2 and 32 * 1 per sub-plane) and has 256 values.
        int shift = bits.Shift;
        Vector128<byte> offset = Vector128.Create((byte)BlockValues.Offset(bits, steps: TLow.Bits == 0 ? 0 : 1));
        for (int block = 0; block < blocks; block++)
        {
            Part<THigh, TLow>(high, low, 2 * TQuarter.Number, shift, offset, values);
            Part<THigh, TLow>(high, low, 2 * TQuarter.Number + 1, shift, offset, values);
            high += NestedLayout.PanelChannels * THigh.Bits;
            low += NestedLayout.PanelChannels * TLow.Bits;
            values += NestedLayout.BlockValues;
        }
    }

    /// <summary>Values 32 * part to 32 * part + 31 of a block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Part<THigh, TLow>(byte* high, byte* low, int part, int shift, Vector128<byte> offset, sbyte* values)
        where THigh : struct, IBitWidth
        where TLow : struct, IBitWidth
    {
        Half<THigh, TLow>(high, low, part, 0, shift, offset, values);
        Half<THigh, TLow>(high, low, part, Vector, shift, offset, values);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Half<THigh, TLow>(byte* high, byte* low, int part, int half, int shift, Vector128<byte> offset, sbyte* values)
        where THigh : struct, IBitWidth
        where TLow : struct, IBitWidth
    {
        Vector128<byte> value = Codes<THigh>(high, part, half) << shift;
        if (TLow.Bits != 0)
            value += Codes<TLow>(low, part, half);
        (value - offset).Store((byte*)values + part * 2 * Vector + half);
    }

    /// <summary>Sixteen codes of the block that starts at <paramref name="planes"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Codes<TWidth>(byte* planes, int part, int half)
        where TWidth : struct, IBitWidth
    {
        Vector128<byte> codes = Vector128<byte>.Zero;
        int position = 0;
        planes += half;
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
    /// Moves the field at bit <paramref name="from"/> of 16 bytes to bit <paramref name="to"/>, by one shift and one AND.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Field(byte* source, int from, byte mask, int to)
    {
        Vector128<byte> bytes = Vector128.Load(source);
        bytes = from >= to ? bytes >>> (from - to) : bytes << (to - from);
        return bytes & Vector128.Create((byte)(mask << to));
    }
}
