using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Tiers;

/// <summary>A bit width known at compile time, so that each instantiation of a decoder reads only the sub-planes it needs.</summary>
internal interface IBitWidth
{
    /// <summary>Bits of a code: 2 to 7, or 0 for an operand that is not read.</summary>
    static abstract int Bits { get; }
}

/// <summary>A quarter of a block known at compile time.</summary>
internal interface IQuarter
{
    /// <summary>0 to 3: values 64 * number to 64 * number + 63 of every block.</summary>
    static abstract int Number { get; }
}

/// <summary>Decodes full blocks of bit planes; one instantiation per pair of widths and quarter.</summary>
internal unsafe interface IBlockDecoder
{
    /// <summary>Decodes a quarter of each of some consecutive blocks; see <see cref="KernelTier.DecodeBlocks"/>.</summary>
    /// <typeparam name="THigh">Width of a high code.</typeparam>
    /// <typeparam name="TLow">Width of a low code, 0 for part precision.</typeparam>
    /// <typeparam name="TQuarter">The quarter.</typeparam>
    static abstract void Decode<THigh, TLow, TQuarter>(byte* high, byte* low, int blocks, NestedBits bits, sbyte* values)
        where THigh : struct, IBitWidth
        where TLow : struct, IBitWidth
        where TQuarter : struct, IQuarter;
}

/// <summary>Chooses a decoder's instantiation for the widths of a nested weight.</summary>
/// <typeparam name="TDecoder">The decoder.</typeparam>
internal static unsafe class WidthDispatch<TDecoder>
    where TDecoder : struct, IBlockDecoder
{
    /// <summary>See <see cref="KernelTier.DecodeBlocks"/>.</summary>
    /// <param name="operands">A pair (<see cref="LevelOperands.IsPair"/>).</param>
    /// <param name="blocks">Number of blocks.</param>
    /// <param name="values">Receives the values.</param>
    public static void Decode(in LevelOperands operands, int blocks, sbyte* values)
    {
        byte* high = operands.High, low = operands.Low;
        NestedBits bits = operands.Bits;
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
        where THigh : struct, IBitWidth
    {
        switch (low == null ? 0 : bits.LowWidth)
        {
            case 0: InQuarters<THigh, Width0>(high, low, blocks, bits, values); break;
            case 2: InQuarters<THigh, Width2>(high, low, blocks, bits, values); break;
            case 3: InQuarters<THigh, Width3>(high, low, blocks, bits, values); break;
            case 4: InQuarters<THigh, Width4>(high, low, blocks, bits, values); break;
            case 5: InQuarters<THigh, Width5>(high, low, blocks, bits, values); break;
            case 6: InQuarters<THigh, Width6>(high, low, blocks, bits, values); break;
            default: InQuarters<THigh, Width7>(high, low, blocks, bits, values); break;
        }
    }

    /// <summary>
    /// A quarter at a time, since more would exceed the compiler's inlining limit for one method, and a few blocks at a time, so that they
    /// stay in the innermost cache between the quarters.
    /// </summary>
    private static void InQuarters<THigh, TLow>(byte* high, byte* low, int blocks, NestedBits bits, sbyte* values)
        where THigh : struct, IBitWidth
        where TLow : struct, IBitWidth
    {
        const int most = 32;
        for (; blocks > 0; blocks -= most)
        {
            int count = Math.Min(blocks, most);
            TDecoder.Decode<THigh, TLow, Quarter0>(high, low, count, bits, values);
            TDecoder.Decode<THigh, TLow, Quarter1>(high, low, count, bits, values);
            TDecoder.Decode<THigh, TLow, Quarter2>(high, low, count, bits, values);
            TDecoder.Decode<THigh, TLow, Quarter3>(high, low, count, bits, values);
            high += count * NestedLayout.PanelChannels * THigh.Bits;
            low += count * NestedLayout.PanelChannels * TLow.Bits;
            values += count * NestedLayout.BlockValues;
        }
    }

    private readonly struct Quarter0 : IQuarter
    {
        public static int Number => 0;
    }

    private readonly struct Quarter1 : IQuarter
    {
        public static int Number => 1;
    }

    private readonly struct Quarter2 : IQuarter
    {
        public static int Number => 2;
    }

    private readonly struct Quarter3 : IQuarter
    {
        public static int Number => 3;
    }

    private readonly struct Width0 : IBitWidth
    {
        public static int Bits => 0;
    }

    private readonly struct Width2 : IBitWidth
    {
        public static int Bits => 2;
    }

    private readonly struct Width3 : IBitWidth
    {
        public static int Bits => 3;
    }

    private readonly struct Width4 : IBitWidth
    {
        public static int Bits => 4;
    }

    private readonly struct Width5 : IBitWidth
    {
        public static int Bits => 5;
    }

    private readonly struct Width6 : IBitWidth
    {
        public static int Bits => 6;
    }

    private readonly struct Width7 : IBitWidth
    {
        public static int Bits => 7;
    }
}
