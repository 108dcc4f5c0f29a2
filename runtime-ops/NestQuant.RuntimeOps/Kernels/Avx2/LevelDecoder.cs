using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Packing;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Avx2;

/// <summary>
/// Decodes full blocks of more than two operands. A shift and an AND for every sub-plane, as <see cref="BlockDecoder"/> does it, would take
/// time in proportion to their number: sub-planes are merged first (<see cref="NibblePlan"/>), two at a time, until a code of four bits is
/// looked up in a table.
/// </summary>
internal static unsafe class LevelDecoder
{
    // What a few blocks read and write stays in the innermost cache from one plane to the next.
    private const int MostBlocks = 16;
    private const int Vector = 32;
    private const int MergedBytes = 2 * NibblePlan.BytesPerBit;

    /// <summary>See <see cref="KernelTier.DecodeBlocks"/>.</summary>
    [SkipLocalsInit]
    public static void Decode(in LevelOperands operands, int blocks, sbyte* values)
    {
        // In bounds: every stream has as many bytes for each of the blocks as its stride says, and only the zeros are read again and again.
        NibblePlan plan = NibblePlan.Of(operands.Bits, operands.Steps);
        byte* merged = stackalloc byte[NibblePlan.MostBitPairs * MostBlocks * MergedBytes];
        byte* zeros = stackalloc byte[MergedBytes];
        new Span<byte>(zeros, MergedBytes).Clear();
        Stream* streams = stackalloc Stream[NibblePlan.MostStreams];
        int count = 0;
        for (; count <= operands.Steps; count++)
            streams[count] = new Stream(operands[count], operands.Bits.WidthOfStep(count) * NibblePlan.BytesPerBit);
        for (int i = 0; i < plan.BitPairs.Length; i++)
            streams[count++] = new Stream(merged + i * MostBlocks * MergedBytes, MergedBytes);
        streams[count] = new Stream(zeros, 0);

        for (; blocks > 0; blocks -= MostBlocks)
        {
            int now = Math.Min(blocks, MostBlocks);
            for (int i = 0; i < plan.BitPairs.Length; i++)
                MergeBits(streams, plan.BitPairs[i], now, merged + i * MostBlocks * MergedBytes);
            StorePairs(streams, plan.CodePairs[0], now, (byte*)values);
            foreach (ref readonly NibblePlan.Pair pair in plan.CodePairs.AsSpan(1))
                AddPairs(streams, pair, now, (byte*)values);
            foreach (ref readonly NibblePlan.Pair nibbles in plan.Nibbles.AsSpan())
                AddNibbles(streams, nibbles, now, (byte*)values);
            for (int step = 0; step <= operands.Steps; step++)
                streams[step].Start += now * streams[step].Stride;
            values += now * NestedLayout.BlockValues;
        }
    }

    /// <summary>Makes codes of two bits from those of one: their fields lie as in a sub-plane of two bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MergeBits(Stream* streams, in NibblePlan.Pair pair, int blocks, byte* merged)
    {
        byte* low = streams[pair.Low.Stream].Start + pair.Low.Offset, high = streams[pair.High.Stream].Start + pair.High.Offset;
        int lowStride = streams[pair.Low.Stream].Stride, highStride = streams[pair.High.Stream].Stride;
        Vector256<byte> mask = Vector256.Create((byte)0x55);
        for (int block = 0; block < blocks; block++)
        {
            Vector256<byte> a = Vector256.Load(low), b = Vector256.Load(high);
            Vector256<byte> exchanged = (X86Avx2.ShiftRightLogical(a.AsUInt16(), 1).AsByte() ^ b) & mask;
            (a ^ X86Avx2.ShiftLeftLogical(exchanged.AsUInt16(), 1).AsByte()).Store(merged);
            (b ^ exchanged).Store(merged + Vector);
            low += lowStride;
            high += highStride;
            merged += MergedBytes;
        }
    }

    /// <summary>Stores what the codes of two merged sub-planes of two bits stand for.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void StorePairs(Stream* streams, in NibblePlan.Pair pair, int blocks, byte* values) =>
        Pairs(streams, pair, blocks, values, isFirst: true);

    /// <summary>Adds it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddPairs(Stream* streams, in NibblePlan.Pair pair, int blocks, byte* values) =>
        Pairs(streams, pair, blocks, values, isFirst: false);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pairs(Stream* streams, in NibblePlan.Pair pair, int blocks, byte* values, bool isFirst)
    {
        byte* low = streams[pair.Low.Stream].Start + pair.Low.Offset, high = streams[pair.High.Stream].Start + pair.High.Offset;
        int lowStride = streams[pair.Low.Stream].Stride, highStride = streams[pair.High.Stream].Stride;
        Vector256<byte> table = pair.Table, mask = Vector256.Create((byte)0x33);
        for (int block = 0; block < blocks; block++)
        {
            for (int half = 0; half < 2; half++)
            {
                // The fields at even places of both stay in a, with those of b on the left, and the others in b.
                Vector256<byte> a = Vector256.Load(low + half * Vector), b = Vector256.Load(high + half * Vector);
                Vector256<byte> exchanged = (X86Avx2.ShiftRightLogical(a.AsUInt16(), 2).AsByte() ^ b) & mask;
                Add(a ^ X86Avx2.ShiftLeftLogical(exchanged.AsUInt16(), 2).AsByte(), table, values + half * Vector, isFirst);
                Add(b ^ exchanged, table, values + (2 + half) * Vector, isFirst);
            }

            low += lowStride;
            high += highStride;
            values += NestedLayout.BlockValues;
        }
    }

    /// <summary>Adds what the codes of a sub-plane of four bits stand for.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddNibbles(Stream* streams, in NibblePlan.Pair nibbles, int blocks, byte* values)
    {
        byte* source = streams[nibbles.Low.Stream].Start + nibbles.Low.Offset;
        int stride = streams[nibbles.Low.Stream].Stride;
        Vector256<byte> table = nibbles.Table;
        for (int block = 0; block < blocks; block++)
        {
            for (int quarter = 0; quarter < 4; quarter++)
                Add(Vector256.Load(source + quarter * Vector), table, values + quarter * Vector, isFirst: false);
            source += stride;
            values += NestedLayout.BlockValues;
        }
    }

    /// <summary>Adds what a vector of codes of four bits stands for, to 32 values and to 32 values half a block further on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(Vector256<byte> codes, Vector256<byte> table, byte* values, bool isFirst)
    {
        Vector256<byte> mask = Vector256.Create((byte)0x0F);
        byte* further = values + NestedLayout.BlockValues / 2;
        Vector256<byte> high = X86Avx2.ShiftRightLogical(codes.AsUInt16(), 4).AsByte() & mask;
        Vector256<byte> a = X86Avx2.Shuffle(table, codes & mask), b = X86Avx2.Shuffle(table, high);
        (isFirst ? a : a + Vector256.Load(values)).Store(values);
        (isFirst ? b : b + Vector256.Load(further)).Store(further);
    }

    /// <summary>Where the blocks of a sub-plane are read.</summary>
    private struct Stream(byte* start, int stride)
    {
        /// <summary>The next block.</summary>
        public byte* Start = start;

        /// <summary>Bytes from a block to the next.</summary>
        public readonly int Stride = stride;
    }
}
