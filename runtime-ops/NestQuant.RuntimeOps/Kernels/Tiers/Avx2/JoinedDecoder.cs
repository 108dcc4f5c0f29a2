using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Packing;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>
/// Decodes full blocks of any number of operands in one pass: their sub-planes are joined to planes of 4 bits, and each of these is looked
/// up in a table (<see cref="JoinedPlanes"/>), so that the time depends on the bits of all operands and not on how many there are.
/// </summary>
internal static unsafe class JoinedDecoder
{
    // A few blocks at a time, so that what is joined stays in the innermost cache.
    private const int Batch = 16;
    private const int Vector = 32;
    private const int TwoBytes = 2 * Vector, FourBytes = 4 * Vector;
    private const int MostTwos = 2;
    private const int Alignment = 64;

    /// <summary>See <see cref="KernelTier.DecodeBlocks"/>.</summary>
    [SkipLocalsInit]
    public static void Decode(in LevelOperands operands, int blocks, sbyte* values)
    {
        // In bounds: a plane of w bits has 32 * w bytes per block, in an operand as in the scratch memory.
        JoinedPlanes planes = JoinedPlanes.Of(operands.Bits, operands.Level);
        byte* unaligned = stackalloc byte[Batch * (MostTwos * TwoBytes + JoinedPlanes.MostNibbles * FourBytes) + Alignment];
        byte* joinedTwos = (byte*)((nint)(unaligned + Alignment - 1) & -Alignment);
        byte* joinedFours = joinedTwos + Batch * MostTwos * TwoBytes;
        PlaneStream* streams = stackalloc PlaneStream[JoinedPlanes.MostPlanes + MostTwos + JoinedPlanes.MostNibbles];
        Streams ones = new(streams, operands, planes.Ones);
        Streams twos = new(ones.End, operands, planes.Twos);
        twos.AddJoined(joinedTwos, Batch * TwoBytes, TwoBytes, (ones.Count + 1) / 2);
        Streams fours = new(twos.End, operands, planes.Fours);
        fours.AddJoined(joinedFours, Batch * FourBytes, FourBytes, (twos.Count + 1) / 2);
        fixed (byte* tables = planes.Tables)
        {
            for (; blocks > 0; blocks -= Batch, values += Batch * NestedLayout.BlockValues)
            {
                int count = Math.Min(blocks, Batch);
                for (int i = 0; i < ones.Count; i += 2)
                    JoinOnes(ones.First[i], ones.First[Math.Min(i + 1, ones.Count - 1)], count, joinedTwos + i / 2 * Batch * TwoBytes);
                for (int i = 0; i < twos.Count; i += 2)
                    JoinTwos(twos.First[i], twos.First[Math.Min(i + 1, twos.Count - 1)], count, joinedFours + i / 2 * Batch * FourBytes);
                switch (fours.Count)
                {
                    case 1: LookUp<One>(fours.First, tables, count, values); break;
                    case 2: LookUp<Two>(fours.First, tables, count, values); break;
                    case 3: LookUp<Three>(fours.First, tables, count, values); break;
                    default: LookUp<Four>(fours.First, tables, count, values); break;
                }

                ones.Advance(planes.Ones.Length);
                twos.Advance(planes.Twos.Length);
                fours.Advance(planes.Fours.Length);
            }
        }
    }

    /// <summary>
    /// Bit j of byte i belongs to value 32 * j + i: the even bits of both planes make the fields of the first 32 bytes, the odd ones those
    /// of the others.
    /// </summary>
    [MethodImpl(MethodCompilation.Loops)]
    private static void JoinOnes(PlaneStream low, PlaneStream high, int blocks, byte* joined)
    {
        Vector256<byte> even = Vector256.Create((byte)0x55);
        for (; blocks > 0; blocks--, low.Address += low.Stride, high.Address += high.Stride, joined += TwoBytes)
        {
            Vector256<byte> a = Vector256.Load(low.Address), b = Vector256.Load(high.Address);
            Vector256<byte> swapped = ((a.AsUInt16() >>> 1).AsByte() ^ b) & even;
            (a ^ (swapped.AsUInt16() << 1).AsByte()).Store(joined);
            (b ^ swapped).Store(joined + Vector);
        }
    }

    /// <summary>Field j of byte i belongs to value 64 * j + i; compare <see cref="JoinOnes"/>.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    private static void JoinTwos(PlaneStream low, PlaneStream high, int blocks, byte* joined)
    {
        Vector256<byte> even = Vector256.Create((byte)0x33);
        for (; blocks > 0; blocks--, low.Address += low.Stride, high.Address += high.Stride, joined += FourBytes)
        {
            Vector256<byte> a0 = Vector256.Load(low.Address), b0 = Vector256.Load(high.Address);
            Vector256<byte> a1 = Vector256.Load(low.Address + Vector), b1 = Vector256.Load(high.Address + Vector);
            Vector256<byte> swapped0 = ((a0.AsUInt16() >>> 2).AsByte() ^ b0) & even;
            Vector256<byte> swapped1 = ((a1.AsUInt16() >>> 2).AsByte() ^ b1) & even;
            (a0 ^ (swapped0.AsUInt16() << 2).AsByte()).Store(joined);
            (a1 ^ (swapped1.AsUInt16() << 2).AsByte()).Store(joined + Vector);
            (b0 ^ swapped0).Store(joined + 2 * Vector);
            (b1 ^ swapped1).Store(joined + 3 * Vector);
        }
    }

    /// <summary>Adds up what the nibbles of all planes mean: field j of byte i of each belongs to value 128 * j + i.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    private static void LookUp<TCount>(PlaneStream* planes, byte* tables, int blocks, sbyte* values)
        where TCount : struct, ICount
    {
        Vector256<byte> mask = Vector256.Create((byte)0x0F);
        // Where there are fewer planes, the last one stands for those that are not read.
        PlaneStream p0 = planes[0];
        PlaneStream p1 = planes[Math.Min(1, TCount.Value - 1)];
        PlaneStream p2 = planes[Math.Min(2, TCount.Value - 1)];
        PlaneStream p3 = planes[Math.Min(3, TCount.Value - 1)];
        Vector256<byte> t0 = Table(tables, 0);
        Vector256<byte> t1 = Table(tables, Math.Min(1, TCount.Value - 1));
        Vector256<byte> t2 = Table(tables, Math.Min(2, TCount.Value - 1));
        Vector256<byte> t3 = Table(tables, Math.Min(3, TCount.Value - 1));
        for (; blocks > 0; blocks--)
        {
            for (int i = 0; i < FourBytes; i += Vector, values += Vector)
            {
                Vector256<byte> plane = Vector256.Load(p0.Address + i);
                Vector256<byte> low = X86Avx2.Shuffle(t0, plane & mask);
                Vector256<byte> high = X86Avx2.Shuffle(t0, (plane.AsUInt16() >>> 4).AsByte() & mask);
                if (TCount.Value > 1)
                {
                    plane = Vector256.Load(p1.Address + i);
                    low += X86Avx2.Shuffle(t1, plane & mask);
                    high += X86Avx2.Shuffle(t1, (plane.AsUInt16() >>> 4).AsByte() & mask);
                }

                if (TCount.Value > 2)
                {
                    plane = Vector256.Load(p2.Address + i);
                    low += X86Avx2.Shuffle(t2, plane & mask);
                    high += X86Avx2.Shuffle(t2, (plane.AsUInt16() >>> 4).AsByte() & mask);
                }

                if (TCount.Value > 3)
                {
                    plane = Vector256.Load(p3.Address + i);
                    low += X86Avx2.Shuffle(t3, plane & mask);
                    high += X86Avx2.Shuffle(t3, (plane.AsUInt16() >>> 4).AsByte() & mask);
                }

                low.Store((byte*)values);
                high.Store((byte*)values + FourBytes);
            }

            values += FourBytes;
            p0.Address += p0.Stride;
            p1.Address += p1.Stride;
            p2.Address += p2.Stride;
            p3.Address += p3.Stride;
        }
    }

    private static Vector256<byte> Table(byte* tables, int plane)
    {
        Vector128<byte> table = Vector128.Load(tables + plane * JoinedPlanes.TableBytes);
        return Vector256.Create(table, table);
    }

    /// <summary>A count known at compile time.</summary>
    private interface ICount
    {
        static abstract int Value { get; }
    }

    /// <summary>Planes of one width that are read block by block.</summary>
    private struct PlaneStream
    {
        public byte* Address;
        public nint Stride;
    }

    /// <summary>The planes of one width, those of the operands first.</summary>
    private struct Streams
    {
        public readonly PlaneStream* First;
        public int Count;

        public Streams(PlaneStream* first, in LevelOperands operands, JoinedPlanes.Plane[] planes)
        {
            First = first;
            foreach (JoinedPlanes.Plane plane in planes)
                First[Count++] = new PlaneStream { Address = operands[plane.Step] + plane.Offset, Stride = plane.Stride };
        }

        public readonly PlaneStream* End => First + Count;

        public void AddJoined(byte* address, nint distance, nint stride, int count)
        {
            for (int i = 0; i < count; i++)
                First[Count++] = new PlaneStream { Address = address + i * distance, Stride = stride };
        }

        public readonly void Advance(int ofOperands)
        {
            for (int i = 0; i < ofOperands; i++)
                First[i].Address += Batch * First[i].Stride;
        }
    }

    private readonly struct One : ICount
    {
        public static int Value => 1;
    }

    private readonly struct Two : ICount
    {
        public static int Value => 2;
    }

    private readonly struct Three : ICount
    {
        public static int Value => 3;
    }

    private readonly struct Four : ICount
    {
        public static int Value => 4;
    }
}
