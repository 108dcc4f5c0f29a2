using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace NestQuant.RuntimeOps.Packing;

/// <summary>
/// Dense bit planes of one block: V unsigned values of b bits (V a multiple of 8, b from 2 to 7) in exactly V * b / 8 bytes.
/// </summary>
/// <remarks>
/// The bits of b are split from the least significant end into sub-planes of 4, 2 and 1 bits, widest first. A sub-plane of width
/// w has V * w / 8 bytes; field j (bits j*w to j*w+w-1) of byte i belongs to value j * (V * w / 8) + i. Equal fields of
/// consecutive bytes therefore hold consecutive values, and decoding is a shift and an AND on whole vectors.
/// </remarks>
internal static class BitPlanes
{
    private static ReadOnlySpan<byte> SubPlaneWidths => [4, 2, 1];

    /// <summary>Stores values (each below 2^width) as planes.</summary>
    /// <param name="values">V values.</param>
    /// <param name="width">b, 2 to 7.</param>
    /// <param name="planes">V * b / 8 bytes, all overwritten.</param>
    public static void Encode(ReadOnlySpan<byte> values, int width, Span<byte> planes)
    {
        int position = 0;
        foreach (byte w in SubPlaneWidths)
        {
            if ((width & w) == 0)
                continue;
            int length = values.Length * w / 8;
            EncodeSubPlane(values, position, w, planes[..length]);
            planes = planes[length..];
            position += w;
        }
    }

    /// <summary>Restores values from planes; the inverse of <see cref="Encode"/>.</summary>
    /// <param name="planes">V * b / 8 bytes.</param>
    /// <param name="width">b, 2 to 7.</param>
    /// <param name="values">V values, all overwritten.</param>
    [MethodImpl(MethodCompilation.Loops)]
    public static void Decode(ReadOnlySpan<byte> planes, int width, Span<byte> values)
    {
        if (values.Length == Vector256<byte>.Count && Avx2.IsSupported)
        {
            DecodeRow(planes, width).CopyTo(values);
            return;
        }

        values.Clear();
        int position = 0;
        foreach (byte w in SubPlaneWidths)
        {
            if ((width & w) == 0)
                continue;
            int length = values.Length * w / 8;
            DecodeSubPlane(planes[..length], position, w, values);
            planes = planes[length..];
            position += w;
        }
    }

    /// <summary>
    /// A single row, which remains in depthwise weights when the kernel is odd (k*k mod 8 is 1): each copy of a sub-plane is shifted by one
    /// more field.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> DecodeRow(ReadOnlySpan<byte> planes, int width)
    {
        Vector256<byte> values = Vector256<byte>.Zero;
        int position = 0;
        if ((width & 4) != 0)
        {
            Vector128<ulong> plane = Vector128.Create(planes[..16]).AsUInt64();
            Vector256<ulong> fields = Avx2.ShiftRightLogicalVariable(Vector256.Create(plane, plane), Vector256.Create(0UL, 0, 4, 4));
            values = fields.AsByte() & Vector256.Create((byte)0x0F);
            planes = planes[16..];
            position = 4;
        }

        if ((width & 2) != 0)
        {
            Vector256<ulong> plane = Vector256.Create(MemoryMarshal.Read<ulong>(planes));
            Vector256<ulong> fields = Avx2.ShiftRightLogicalVariable(plane, Vector256.Create(0UL, 2, 4, 6));
            values |= ((fields.AsByte() & Vector256.Create((byte)0x03)).AsUInt16() << position).AsByte();
            planes = planes[8..];
            position += 2;
        }

        if ((width & 1) != 0)
        {
            Vector256<uint> plane = Vector256.Create(MemoryMarshal.Read<uint>(planes));
            Vector256<uint> fields = Avx2.ShiftRightLogicalVariable(plane, Vector256.Create(0U, 1, 2, 3, 4, 5, 6, 7));
            values |= ((fields.AsByte() & Vector256<byte>.One).AsUInt16() << position).AsByte();
        }

        return values;
    }

    [MethodImpl(MethodCompilation.Loops)]
    private static void EncodeSubPlane(ReadOnlySpan<byte> values, int position, int w, Span<byte> plane)
    {
        int length = plane.Length;
        byte mask = (byte)((1 << w) - 1);
        int i = 0;
        for (; i <= length - Vector256<byte>.Count; i += Vector256<byte>.Count)
        {
            Vector256<byte> packed = Vector256<byte>.Zero;
            for (int field = 0; field < 8 / w; field++)
            {
                Vector256<byte> bits = (
                    Vector256.Create(values.Slice(field * length + i, Vector256<byte>.Count)) >>> position) & Vector256.Create(mask);
                packed |= bits << (field * w);
            }

            packed.CopyTo(plane[i..]);
        }

        for (; i < length; i++)
        {
            int packed = 0;
            for (int field = 0; field < 8 / w; field++)
                packed |= ((values[field * length + i] >> position) & mask) << (field * w);
            plane[i] = (byte)packed;
        }
    }

    [MethodImpl(MethodCompilation.Loops)]
    private static void DecodeSubPlane(ReadOnlySpan<byte> plane, int position, int w, Span<byte> values)
    {
        int length = plane.Length;
        byte mask = (byte)((1 << w) - 1);
        for (int field = 0; field < 8 / w; field++)
        {
            Span<byte> target = values.Slice(field * length, length);
            int i = 0;
            for (; i <= length - Vector256<byte>.Count; i += Vector256<byte>.Count)
            {
                Vector256<byte> bits = (Vector256.Create(plane.Slice(i, Vector256<byte>.Count)) >>> (field * w)) & Vector256.Create(mask);
                Span<byte> part = target.Slice(i, Vector256<byte>.Count);
                ((bits << position) | Vector256.Create(part)).CopyTo(part);
            }

            // Words of four values, all that remains where V is a multiple of 32; the mask removes bits that are shifted from one value
            // into the next.
            ReadOnlySpan<uint> words = MemoryMarshal.Cast<byte, uint>(plane[i..]);
            Span<uint> targets = MemoryMarshal.Cast<byte, uint>(target[i..]);
            for (int word = 0; word < words.Length; word++)
                targets[word] |= ((words[word] >> (field * w)) & (mask * 0x0101_0101u)) << position;
            for (i += words.Length * sizeof(uint); i < length; i++)
                target[i] |= (byte)(((plane[i] >> (field * w)) & mask) << position);
        }
    }
}
