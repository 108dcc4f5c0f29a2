using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Packing;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Avx2;

/// <summary>Decodes full blocks of bit planes, 32 values at a time, by shifts and masks; one body per pair of widths.</summary>
internal static unsafe class BlockDecoder
{
    /// <summary>A bit width known at compile time, so that each body holds only the sub-planes it needs.</summary>
    private interface IWidth
    {
        static abstract int Bits { get; }
    }

    /// <summary>Decodes consecutive blocks; see <see cref="KernelTier.DecodeBlocks"/>.</summary>
    public static void Decode(byte* high, byte* low, int blocks, NestedBits bits, sbyte* values)
    {
        switch (bits.High)
        {
            case 2: WithHigh<Width2>(high, low, blocks, bits, values); break;
            case 3: WithHigh<Width3>(high, low, blocks, bits, values); break;
            case 4: WithHigh<Width4>(high, low, blocks, bits, values); break;
            case 5: WithHigh<Width5>(high, low, blocks, bits, values); break;
            case 6: WithHigh<Width6>(high, low, blocks, bits, values); break;
            default: WithHigh<Width7>(high, low, blocks, bits, values); break;
        }
    }

    private static void WithHigh<THigh>(byte* high, byte* low, int blocks, NestedBits bits, sbyte* values)
        where THigh : struct, IWidth
    {
        switch (low == null ? 0 : bits.LowWidth)
        {
            case 0: Blocks<THigh, Width0>(high, low, blocks, bits, values); break;
            case 2: Blocks<THigh, Width2>(high, low, blocks, bits, values); break;
            case 3: Blocks<THigh, Width3>(high, low, blocks, bits, values); break;
            case 4: Blocks<THigh, Width4>(high, low, blocks, bits, values); break;
            case 5: Blocks<THigh, Width5>(high, low, blocks, bits, values); break;
            case 6: Blocks<THigh, Width6>(high, low, blocks, bits, values); break;
            default: Blocks<THigh, Width7>(high, low, blocks, bits, values); break;
        }
    }

    private static void Blocks<THigh, TLow>(byte* high, byte* low, int blocks, NestedBits bits, sbyte* values)
        where THigh : struct, IWidth
        where TLow : struct, IWidth
    {
        // Half a block at a time: more would exceed what the compiler inlines into one method. A few blocks stay in the innermost cache between the halves.
        const int most = 32;
        for (; blocks > 0; blocks -= most)
        {
            int count = Math.Min(blocks, most);
            FirstHalves<THigh, TLow>(high, low, count, bits, values);
            SecondHalves<THigh, TLow>(high, low, count, bits, values);
            high += count * NestedLayout.PanelChannels * THigh.Bits;
            low += count * NestedLayout.PanelChannels * TLow.Bits;
            values += count * NestedLayout.BlockValues;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FirstHalves<THigh, TLow>(byte* high, byte* low, int blocks, NestedBits bits, sbyte* values)
        where THigh : struct, IWidth
        where TLow : struct, IWidth
    {
        // In bounds: a block reads 32 * width bytes of each operand (32 * 4, 32 * 2 and 32 * 1 per sub-plane) and has 256 values.
        Vector128<ushort> shift = Vector128.CreateScalar((ushort)bits.Shift);
        Vector256<byte> offset = Vector256.Create((byte)BlockValues.Offset(bits, isPart: TLow.Bits == 0));
        for (int block = 0; block < blocks; block++)
        {
            Part<THigh, TLow>(high, low, 0, shift, offset, values);
            Part<THigh, TLow>(high, low, 1, shift, offset, values);
            Part<THigh, TLow>(high, low, 2, shift, offset, values);
            Part<THigh, TLow>(high, low, 3, shift, offset, values);
            high += NestedLayout.PanelChannels * THigh.Bits;
            low += NestedLayout.PanelChannels * TLow.Bits;
            values += NestedLayout.BlockValues;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SecondHalves<THigh, TLow>(byte* high, byte* low, int blocks, NestedBits bits, sbyte* values)
        where THigh : struct, IWidth
        where TLow : struct, IWidth
    {
        Vector128<ushort> shift = Vector128.CreateScalar((ushort)bits.Shift);
        Vector256<byte> offset = Vector256.Create((byte)BlockValues.Offset(bits, isPart: TLow.Bits == 0));
        for (int block = 0; block < blocks; block++)
        {
            Part<THigh, TLow>(high, low, 4, shift, offset, values);
            Part<THigh, TLow>(high, low, 5, shift, offset, values);
            Part<THigh, TLow>(high, low, 6, shift, offset, values);
            Part<THigh, TLow>(high, low, 7, shift, offset, values);
            high += NestedLayout.PanelChannels * THigh.Bits;
            low += NestedLayout.PanelChannels * TLow.Bits;
            values += NestedLayout.BlockValues;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Part<THigh, TLow>(byte* high, byte* low, int part, Vector128<ushort> shift, Vector256<byte> offset, sbyte* values)
        where THigh : struct, IWidth
        where TLow : struct, IWidth
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
        where TWidth : struct, IWidth
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

    /// <summary>Moves the field at bit <paramref name="from"/> of 32 bytes to bit <paramref name="to"/>, by one shift and one AND.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> Field(byte* bytes, int from, byte mask, int to)
    {
        Vector256<ushort> words = Vector256.Load(bytes).AsUInt16();
        words = from >= to ? words >>> (from - to) : words << (to - from);
        return words.AsByte() & Vector256.Create((byte)(mask << to));
    }

    private readonly struct Width0 : IWidth
    {
        public static int Bits => 0;
    }

    private readonly struct Width2 : IWidth
    {
        public static int Bits => 2;
    }

    private readonly struct Width3 : IWidth
    {
        public static int Bits => 3;
    }

    private readonly struct Width4 : IWidth
    {
        public static int Bits => 4;
    }

    private readonly struct Width5 : IWidth
    {
        public static int Bits => 5;
    }

    private readonly struct Width6 : IWidth
    {
        public static int Bits => 6;
    }

    private readonly struct Width7 : IWidth
    {
        public static int Bits => 7;
    }
}
