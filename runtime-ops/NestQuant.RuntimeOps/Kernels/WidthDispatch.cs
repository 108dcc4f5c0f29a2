using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels;

/// <summary>A bit width known at compile time, so that each body of a decoder holds only the sub-planes it needs.</summary>
internal interface IBitWidth
{
    /// <summary>Bits of a code: 2 to 7, or 0 for an operand that is not read.</summary>
    static abstract int Bits { get; }
}

/// <summary>Decodes full blocks of bit planes; one body per pair of widths.</summary>
internal unsafe interface IBlockDecoder
{
    /// <summary>Decodes consecutive blocks; see <see cref="KernelTier.DecodeBlocks"/>.</summary>
    /// <typeparam name="THigh">Width of a high code.</typeparam>
    /// <typeparam name="TLow">Width of a low code, 0 for part precision.</typeparam>
    static abstract void Decode<THigh, TLow>(byte* high, byte* low, int blocks, NestedBits bits, sbyte* values)
        where THigh : struct, IBitWidth
        where TLow : struct, IBitWidth;
}

/// <summary>Chooses a decoder's body for the widths of a nested weight.</summary>
/// <typeparam name="TDecoder">The decoder.</typeparam>
internal static unsafe class WidthDispatch<TDecoder>
    where TDecoder : struct, IBlockDecoder
{
    /// <summary>See <see cref="KernelTier.DecodeBlocks"/>.</summary>
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
        where THigh : struct, IBitWidth
    {
        switch (low == null ? 0 : bits.LowWidth)
        {
            case 0: TDecoder.Decode<THigh, Width0>(high, low, blocks, bits, values); break;
            case 2: TDecoder.Decode<THigh, Width2>(high, low, blocks, bits, values); break;
            case 3: TDecoder.Decode<THigh, Width3>(high, low, blocks, bits, values); break;
            case 4: TDecoder.Decode<THigh, Width4>(high, low, blocks, bits, values); break;
            case 5: TDecoder.Decode<THigh, Width5>(high, low, blocks, bits, values); break;
            case 6: TDecoder.Decode<THigh, Width6>(high, low, blocks, bits, values); break;
            default: TDecoder.Decode<THigh, Width7>(high, low, blocks, bits, values); break;
        }
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
