using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Packing;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>Decodes full blocks of a high operand and a low one, a quarter of a block at a time (<see cref="QuarterCodes"/>).</summary>
internal static unsafe class BlockDecoder
{
    private const int GroupValues = NestedLayout.BlockValues / 2;
    private const int QuarterValues = GroupValues / 4;

    /// <summary>See <see cref="KernelTier.DecodeBlocks"/>.</summary>
    /// <param name="operands">A pair (<see cref="LevelOperands.IsPair"/>).</param>
    /// <param name="blocks">Number of blocks.</param>
    /// <param name="values">Receives the values.</param>
    public static void Decode(in LevelOperands operands, int blocks, sbyte* values)
    {
        byte* low = operands.Low;
        NestedBits bits = operands.Bits;
        WidthPair.Run(bits.High, low == null ? 0 : bits.LowWidth, new Blocks(operands.High, low, blocks, bits, values));
    }

    [MethodImpl(MethodCompilation.Loops)]
    private static void Decode<THigh, TLow>(byte* high, byte* low, int blocks, NestedBits bits, sbyte* values)
        where THigh : struct, IBitWidth
        where TLow : struct, IBitWidth
    {
        // In bounds: a block reads 32 * width bytes of each operand and has 256 values. A high code is below 2^h and l + h = n <= 8, so
        // multiplying 16 bits by 2^l carries nothing from one byte into the next. Processors have units for multiplications that nothing
        // else here needs, but few for shifts.
        Vector256<short> factor = Vector256.Create((short)(1 << bits.Shift));
        Vector256<byte> offset = Vector256.Create((byte)BlockValues.Offset(bits, steps: TLow.Bits == 0 ? 0 : 1));
        for (; blocks > 0; blocks--, values += NestedLayout.BlockValues)
        {
            PackedCodes.ReadAhead(high, THigh.Bits);
            PackedCodes.ReadAhead(low, TLow.Bits);
            Quarter(high, THigh.Bits, low, TLow.Bits, 0, factor, offset, values);
            Quarter(high, THigh.Bits, low, TLow.Bits, 1, factor, offset, values);
            Quarter(high, THigh.Bits, low, TLow.Bits, 2, factor, offset, values);
            Quarter(high, THigh.Bits, low, TLow.Bits, 3, factor, offset, values);
            high += NestedLayout.PanelChannels * THigh.Bits;
            low += NestedLayout.PanelChannels * TLow.Bits;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Quarter(
        byte* high, int highWidth, byte* low, int lowWidth, int quarter, Vector256<short> factor, Vector256<byte> offset, sbyte* values)
    {
        QuarterCodes codes = QuarterCodes.Unpack(high, highWidth, quarter);
        Vector256<byte> first = X86Avx2.MultiplyLow(codes.First.AsInt16(), factor).AsByte() - offset;
        Vector256<byte> second = X86Avx2.MultiplyLow(codes.Second.AsInt16(), factor).AsByte() - offset;
        if (lowWidth != 0)
        {
            codes = QuarterCodes.Unpack(low, lowWidth, quarter);
            first += codes.First;
            second += codes.Second;
        }

        first.Store((byte*)values + quarter * QuarterValues);
        second.Store((byte*)values + quarter * QuarterValues + GroupValues);
    }

    private readonly struct Blocks(byte* high, byte* low, int blocks, NestedBits bits, sbyte* values) : IWidthPairCode
    {
        public void Run<THigh, TLow>()
            where THigh : struct, IBitWidth
            where TLow : struct, IBitWidth => Decode<THigh, TLow>(high, low, blocks, bits, values);
    }
}
