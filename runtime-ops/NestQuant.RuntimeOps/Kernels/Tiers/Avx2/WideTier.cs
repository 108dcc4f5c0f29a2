using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>The part of the AVX2 tier for weights of 7 and 8 bits: products of 16-bit numbers, exact for any weights.</summary>
/// <remarks>
/// A prepared panel is <c>[strip 2][k/2][channel 16][2]</c> in 16 bits, contiguous in the order in which <see cref="PairProduct"/> reads.
/// </remarks>
internal sealed unsafe class WideTier : X64Tier
{
    private const int StripChannels = PairProduct.StripChannels;

    // Values of a strip in a group of 4 rows of k.
    private const int StripGroup = StripChannels * 4;

    /// <inheritdoc/>
    public override string Name => TierNames.Avx2;

    /// <inheritdoc/>
    public override RowFormat Rows { get; } = new WideRows();

    /// <inheritdoc/>
    public override int TileRows => PairProduct.MaxRows;

    /// <inheritdoc/>
    public override int PreparedBytes(int groups) => groups * 2 * StripGroup * sizeof(short);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Prepare(sbyte* panel, int groups)
    {
        // In bounds: a group is 128 bytes of the panel. Its first strip replaces them, after they have been loaded, and its second strip is
        // stored at the same distance after the decoded panel. The low byte of each 16 is the weight's after an arithmetic shift.
        Vector256<byte> firstPair = Vector256.Create(
            -1, 0, -1, 1, -1, 4, -1, 5, -1, 8, -1, 9, -1, 12, -1, 13, -1, 0, -1, 1, -1, 4, -1, 5, -1, 8, -1, 9, -1, 12, -1, 13).AsByte();
        Vector256<byte> secondPair = Vector256.Create(
            -1,
            2,
            -1,
            3,
            -1,
            6,
            -1,
            7,
            -1,
            10,
            -1,
            11,
            -1,
            14,
            -1,
            15,
            -1,
            2,
            -1,
            3,
            -1,
            6,
            -1,
            7,
            -1,
            10,
            -1,
            11,
            -1,
            14,
            -1,
            15).AsByte();
        short* first = (short*)panel;
        short* second = first + (long)groups * StripGroup;
        for (int group = 0; group < groups; group++, first += StripGroup, second += StripGroup)
        {
            byte* source = (byte*)first;
            Vector256<byte> w0 = Vector256.Load(source),
                w1 = Vector256.Load(source + 32),
                w2 = Vector256.Load(source + 64),
                w3 = Vector256.Load(source + 96);
            Widen(w0, firstPair).Store(first);
            Widen(w1, firstPair).Store(first + 16);
            Widen(w0, secondPair).Store(first + 32);
            Widen(w1, secondPair).Store(first + 48);
            Widen(w2, firstPair).Store(second);
            Widen(w3, firstPair).Store(second + 16);
            Widen(w2, secondPair).Store(second + 32);
            Widen(w3, secondPair).Store(second + 48);
        }
    }

    /// <inheritdoc/>
    public override void Dot(
        byte* rows, nint rowStride, int rowCount, sbyte* panel, int groups, int firstChannel, int endChannel, int* tile)
    {
        for (int strip = firstChannel / StripChannels; strip * StripChannels < endChannel; strip++)
        {
            short* weights = (short*)panel + (long)strip * groups * StripGroup;
            PairProduct.Run(
                (short*)rows,
                rowStride / sizeof(short),
                rowCount,
                weights,
                2 * groups,
                tile + strip * StripChannels,
                TileChannels,
                adds: false);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Widen(Vector256<byte> weights, Vector256<byte> pair) => X86Avx2.Shuffle(weights, pair).AsInt16() >> 8;

    private sealed class WideRows : CenteredRows
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public override void Copy(byte* x, int count, int zeroPoint, byte* row)
        {
            // In bounds: the last vector ends at count, and may overlap the one before it.
            short* centered = (short*)row;
            Vector256<short> zero = Vector256.Create((short)zeroPoint);
            if (count < Vector256<short>.Count)
            {
                base.Copy(x, count, zeroPoint, row);
                return;
            }

            int last = count - Vector256<short>.Count;
            for (int i = 0; i < last; i += Vector256<short>.Count)
                (X86Avx2.ConvertToVector256Int16(x + i) - zero).Store(centered + i);
            (X86Avx2.ConvertToVector256Int16(x + last) - zero).Store(centered + last);
        }
    }
}
