using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>A decoded panel of weights so small that vpmaddubsw cannot saturate, even when two of its results are added.</summary>
/// <remarks>
/// vpmaddubsw adds the products of two unsigned activations and two signed weights in 16 bits. Four such products fit when weights are
/// -32 to 32: 4 * 255 * 32 is 32,640. Weights are first divided by their common power of two (2^l at part precision), and the accumulators
/// are multiplied by it afterwards. In memory: the panel <c>[k/4][channel 32][4]</c>, then the power, an int32.
/// </remarks>
internal static unsafe class QuadPanel
{
    /// <summary>The most bits of a weight, including its sign and without its power of two.</summary>
    public const int MaxWeightBits = 6;

    private const int VectorBytes = 32;
    private const int GroupBytes = KernelTier.TileChannels * 4;

    /// <summary>Bytes of a prepared panel.</summary>
    public static int Bytes(int groups) => groups * GroupBytes + sizeof(int);

    /// <summary>Bits by which the accumulators of a prepared panel must be shifted left.</summary>
    public static int* Shift(sbyte* panel, int groups) => (int*)(panel + (long)groups * GroupBytes);

    /// <summary>Prepares a panel whose weights have <see cref="MaxWeightBits"/> at most.</summary>
    public static void Prepare(sbyte* panel, int groups) => *Shift(panel, groups) = DivideByCommonPower(panel, groups);

    [MethodImpl(MethodCompilation.Loops)]
    private static int DivideByCommonPower(sbyte* panel, int groups)
    {
        // In bounds: both loops end with the panel's last group.
        sbyte* end = panel + (long)groups * GroupBytes;
        Vector256<byte> seen = default;
        for (sbyte* w = panel; w < end; w += GroupBytes)
        {
            seen |= Vector256.Load((byte*)w) | Vector256.Load((byte*)w + VectorBytes);
            seen |= Vector256.Load((byte*)w + 2 * VectorBytes) | Vector256.Load((byte*)w + 3 * VectorBytes);
            if ((seen & Vector256<byte>.One) != default)
                return 0;
        }

        ulong bits = seen.AsUInt64()[0] | seen.AsUInt64()[1] | seen.AsUInt64()[2] | seen.AsUInt64()[3];
        bits |= bits >> 32;
        bits |= bits >> 16;
        bits |= bits >> 8;
        int shift = (byte)bits == 0 ? 0 : BitOperations.TrailingZeroCount((byte)bits);
        if (shift == 0)
            return 0;

        // A 16-bit shift moves the neighbour's lowest bits into a byte, but these are all 0; the sign is restored by flipping its bit
        // before and subtracting it after.
        Vector256<byte> sign = Vector256.Create((byte)0x80);
        Vector256<byte> shiftedSign = Vector256.Create((byte)(0x80 >> shift));
        for (sbyte* w = panel; w < end; w += VectorBytes)
            ((((Vector256.Load((byte*)w) ^ sign).AsUInt16() >>> shift).AsByte()) - shiftedSign).Store((byte*)w);
        return shift;
    }
}
