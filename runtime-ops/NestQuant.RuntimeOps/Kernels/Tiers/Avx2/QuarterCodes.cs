using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>The codes of 8 neighbouring channels in a full block of one operand, unsigned, one per byte.</summary>
/// <remarks>Fields, since a struct of two fields stays in registers, and few calls, since the compiler's inlining has a limit.</remarks>
internal struct QuarterCodes
{
    /// <summary>Those of rows 0 to 3 of k, <c>[channel 8][row 4]</c>.</summary>
    public Vector256<byte> First;

    /// <summary>Those of rows 4 to 7 of k.</summary>
    public Vector256<byte> Second;

    /// <summary>Unpacks the codes of channels 8 * quarter to 8 * quarter + 7 (docs/operand-format.md).</summary>
    /// <param name="planes">The block, 32 * width bytes.</param>
    /// <param name="width">Width of a code, known at compile time.</param>
    /// <param name="quarter">0 to 3, known at compile time.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe QuarterCodes Unpack(byte* planes, int width, int quarter)
    {
        // In the plane of 4 bits, a byte's lower nibble belongs to the first four rows and its upper one to the others. The planes of 2 and
        // 1 bits are brought into that form, with some bits of other quarters that a mask removes at the end.
        const int plane = NestedLayout.PanelChannels;
        QuarterCodes codes;
        Vector256<byte> rest = default;
        if (width == 5)
        {
            Vector256<ushort> ones = Vector256.Load(planes + 4 * plane).AsUInt16();
            rest = quarter == 0 ? ones.AsByte() : (ones >>> quarter).AsByte();
        }
        else if (width != 4)
        {
            // Field j of byte i belongs to value 64 * j + i of the block, so to quarter i / 32 or, in the odd fields, i / 32 + 2.
            Vector256<byte> twos = Vector256.Load(planes + (width & 4) * plane + quarter % 2 * 32);
            rest = quarter < 2 ? twos : (twos.AsUInt16() >>> 2).AsByte();
            if ((width & 1) != 0)
            {
                Vector256<ushort> ones = Vector256.Load(planes + (width - 1) * plane).AsUInt16();
                ones = quarter switch { 0 => ones << 2, 1 => ones << 1, 2 => ones, _ => ones >>> 1 };
                rest ^= (rest ^ ones.AsByte()) & Vector256.Create((byte)0x44);
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
        Vector256<byte> fours = Vector256.Load(planes + quarter * 32);
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
