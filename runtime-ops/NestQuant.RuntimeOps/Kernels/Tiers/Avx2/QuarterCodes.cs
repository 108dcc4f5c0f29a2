using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>The codes of 8 channels of a full block of one operand, unsigned: <c>[channel 8][row 4]</c> for either group of rows of k.</summary>
internal struct QuarterCodes
{
    /// <summary>Rows 0 to 3 of the block.</summary>
    public Vector256<byte> First;

    /// <summary>Rows 4 to 7 of the block.</summary>
    public Vector256<byte> Second;

    /// <summary>Reads the codes of channels 8 * quarter to 8 * quarter + 7.</summary>
    /// <param name="planes">The block, 32 * width bytes.</param>
    /// <param name="width">Width of a code, known at compile time.</param>
    /// <param name="quarter">0 to 3, known at compile time.</param>
    /// <remarks>
    /// A byte of the plane of 4 bits holds both groups' fields of its channel and row, and the planes of 2 and 1 bits are brought into that
    /// form, so that a quarter's fields of them are the two nibbles of one vector.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe QuarterCodes Unpack(byte* planes, int width, int quarter)
    {
        QuarterCodes codes;
        Vector256<byte> rest = default;
        if (width is 5)
        {
            Vector256<ushort> ones = Vector256.Load(planes + (width - 1) * 32).AsUInt16();
            rest = quarter == 0 ? ones.AsByte() : (ones >>> quarter).AsByte();
        }
        else if (width != 4)
        {
            // Field j of a byte belongs to value 64 * j + i, that is to channels from 8 * (2 * (j % 2) + i / 32) on.
            Vector256<byte> twos = Vector256.Load(planes + (width & 4) * 32 + quarter % 2 * 32);
            rest = quarter < 2 ? twos : (twos.AsUInt16() >>> 2).AsByte();
            if ((width & 3) == 3)
            {
                Vector256<ushort> ones = Vector256.Load(planes + (width - 1) * 32).AsUInt16();
                ones = quarter switch { 0 => ones << 2, 1 => ones << 1, 2 => ones, _ => ones >>> 1 };
                rest = (rest & Vector256.Create((byte)0x33)) | (ones.AsByte() & Vector256.Create((byte)0x44));
            }
        }

        if (width < 4)
        {
            Vector256<byte> mask = Vector256.Create((byte)((1 << width) - 1));
            codes.First = rest & mask;
            codes.Second = (rest.AsUInt16() >>> 4).AsByte() & mask;
            return codes;
        }

        Vector256<byte> nibble = Vector256.Create((byte)0x0F);
        Vector256<byte> fours = Vector256.Load(planes + 32 * quarter);
        codes.First = fours & nibble;
        codes.Second = (fours.AsUInt16() >>> 4).AsByte() & nibble;
        if (width > 4)
        {
            Vector256<byte> mask = Vector256.Create((byte)(((1 << (width - 4)) - 1) << 4));
            codes.First |= (rest.AsUInt16() << 4).AsByte() & mask;
            codes.Second |= rest & mask;
        }

        return codes;
    }
}
