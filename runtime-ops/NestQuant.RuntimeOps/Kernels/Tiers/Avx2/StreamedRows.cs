using System.Runtime.CompilerServices;
using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>Products of a few rows of bytes with the operands of a level, whose codes are never put together to weights.</summary>
/// <remarks>
/// A weight is the sum of its operands' codes less their offsets, each times a power of two, and so is a sum of products. Operands are read
/// two at a time. A single row is multiplied with codes as they are unpacked; for several rows they are unpacked once, a few blocks at a
/// time, into the innermost cache.
/// </remarks>
internal static unsafe class StreamedRows
{
    private const int Channels = KernelTier.TileChannels;

    // Blocks whose codes are unpacked at a time: 4 KiB per operand.
    private const int PieceBlocks = 16;

    /// <summary>What is subtracted from activations, so that they are signed bytes.</summary>
    public const int ZeroPoint = 128;

    /// <summary>See <see cref="KernelTier.TryMultiplyBlocks"/>.</summary>
    public static void Multiply(in LevelOperands operands, int blocks, byte* rows, nint rowStride, int rowCount, int* accumulators)
    {
        // In bounds: every row has 8 * blocks bytes.
        int length = blocks * NestedLayout.BlockRows;
        using Scratch signed = new((long)rowCount * length);
        sbyte* x = (sbyte*)signed.Address;
        for (int row = 0; row < rowCount; row++)
            ByteRuns.ToSigned(rows + row * rowStride, length, x + row * length);
        int zero = MultiplyCodes(operands, blocks, x, length, rowCount, accumulators);
        for (int row = 0; row < rowCount; row++)
            Subtract(zero * ((int)ByteRuns.Sum(rows + row * rowStride, length) - ZeroPoint * length), accumulators + row * Channels);
    }

    /// <summary>The sums of all weights of each channel: their products with a row of ones.</summary>
    [SkipLocalsInit]
    public static void Sum(in LevelOperands operands, int blocks, int* sums)
    {
        const int most = 64;
        sbyte* ones = stackalloc sbyte[most * NestedLayout.BlockRows];
        int* products = stackalloc int[Channels];
        new Span<sbyte>(ones, most * NestedLayout.BlockRows).Fill(1);
        new Span<int>(sums, Channels).Clear();
        for (int block = 0; block < blocks; block += most)
        {
            LevelOperands rest = operands.Skip((long)block * NestedLayout.BlockRows);
            int count = Math.Min(most, blocks - block);
            Subtract(MultiplyCodes(rest, count, ones, 0, 1, products) * count * NestedLayout.BlockRows, products);
            for (int channel = 0; channel < Channels; channel++)
                sums[channel] += products[channel];
        }
    }

    /// <summary>Multiplies rows with the codes of all operands, each times its power of two.</summary>
    /// <returns>What a weight of zero has for codes.</returns>
    private static int MultiplyCodes(in LevelOperands operands, int blocks, sbyte* rows, nint rowStride, int rowCount, int* accumulators)
    {
        new Span<int>(accumulators, rowCount * Channels).Clear();
        int zero = 0;
        for (int step = 0; step <= operands.Steps; step += 2)
        {
            Operand high = new(operands, step), low = step < operands.Steps ? new(operands, step + 1) : default;
            zero += high.Zero + low.Zero;
            WidthPair.Run(high.Width, low.Width, new Products(high, low, blocks, rows, rowStride, rowCount, accumulators));
        }

        return zero;
    }

    private static void Subtract(int offset, int* accumulators)
    {
        for (int channel = 0; channel < Channels; channel++)
            accumulators[channel] -= offset;
    }

    /// <summary>An operand's codes and what they mean.</summary>
    private readonly struct Operand
    {
        public readonly byte* Planes;
        public readonly int Width;
        public readonly int Factor;

        // The code of zero, times the factor.
        public readonly int Zero;

        public Operand(in LevelOperands operands, int step)
        {
            Planes = operands[step];
            Width = operands.Bits.WidthOfStep(step);
            Factor = 1 << (operands.Bits.Full - operands.Bits.LevelOfStep(step));
            Zero = Factor << (Width - 1);
        }
    }

    private readonly struct Products(Operand high, Operand low, int blocks, sbyte* rows, nint rowStride, int rowCount, int* accumulators)
        : IWidthPairCode
    {
        public void Run<THigh, TLow>()
            where THigh : struct, IBitWidth
            where TLow : struct, IBitWidth
        {
            if (rowCount == 1)
                CodeProduct.Add<PackedCodes, THigh, TLow>(high.Planes, low.Planes, blocks, high.Factor, low.Factor, rows, accumulators);
            else
                RunPieces<THigh, TLow>();
        }

        [SkipLocalsInit]
        private void RunPieces<THigh, TLow>()
            where THigh : struct, IBitWidth
            where TLow : struct, IBitWidth
        {
            // In bounds: both operands' codes of a piece fit in the memory, whatever its alignment costs.
            const int alignment = 64;
            byte* memory = stackalloc byte[2 * PieceBlocks * NestedLayout.BlockValues + alignment];
            byte* highCodes = (byte*)((nint)(memory + alignment - 1) & -alignment);
            byte* lowCodes = highCodes + PieceBlocks * NestedLayout.BlockValues;
            for (int block = 0; block < blocks; block += PieceBlocks)
            {
                int count = Math.Min(PieceBlocks, blocks - block);
                ByteCodes.Unpack<THigh>(high.Planes + (long)block * PackedCodes.BlockBytes(THigh.Bits), count, highCodes);
                if (TLow.Bits != 0)
                    ByteCodes.Unpack<TLow>(low.Planes + (long)block * PackedCodes.BlockBytes(TLow.Bits), count, lowCodes);
                sbyte* x = rows + (long)block * NestedLayout.BlockRows;
                for (int row = 0; row < rowCount; row++)
                {
                    CodeProduct.Add<ByteCodes, THigh, TLow>(
                        highCodes, lowCodes, count, high.Factor, low.Factor, x + row * rowStride, accumulators + row * Channels);
                }
            }
        }
    }
}
