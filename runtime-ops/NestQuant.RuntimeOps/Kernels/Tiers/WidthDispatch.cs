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
        byte* low = operands.Low;
        NestedBits bits = operands.Bits;
        WidthPair.Run(bits.High, low == null ? 0 : bits.LowWidth, new InQuarters(operands.High, low, blocks, bits, values));
    }

    /// <summary>
    /// A quarter at a time, since more would exceed the compiler's inlining limit for one method, and a few blocks at a time, so that they
    /// stay in the innermost cache between the quarters.
    /// </summary>
    private readonly struct InQuarters(byte* high, byte* low, int blocks, NestedBits bits, sbyte* values) : IWidthPairCode
    {
        public void Run<THigh, TLow>()
            where THigh : struct, IBitWidth
            where TLow : struct, IBitWidth
        {
            const int most = 32;
            byte* planes = high, lowPlanes = low;
            sbyte* target = values;
            for (int left = blocks; left > 0; left -= most)
            {
                int count = Math.Min(left, most);
                TDecoder.Decode<THigh, TLow, Quarter0>(planes, lowPlanes, count, bits, target);
                TDecoder.Decode<THigh, TLow, Quarter1>(planes, lowPlanes, count, bits, target);
                TDecoder.Decode<THigh, TLow, Quarter2>(planes, lowPlanes, count, bits, target);
                TDecoder.Decode<THigh, TLow, Quarter3>(planes, lowPlanes, count, bits, target);
                planes += count * NestedLayout.PanelChannels * THigh.Bits;
                lowPlanes += count * NestedLayout.PanelChannels * TLow.Bits;
                target += count * NestedLayout.BlockValues;
            }
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
}
