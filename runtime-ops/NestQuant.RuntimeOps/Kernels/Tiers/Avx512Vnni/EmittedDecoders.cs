using NestQuant.RuntimeOps.Kernels.Emission;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

/// <summary>The emitted decoders and products of a few rows of this process, each emitted when it is first used.</summary>
/// <param name="map">Makes code executable.</param>
internal sealed unsafe class EmittedDecoders(EmittedCode.MapCode map)
{
    private const int MostBits = NestedBits.Most;
    private const int Levels = 2 * MostBits * MostBits;
    private const int Channels = KernelTier.TileChannels;

    private readonly nint[] _decoders = new nint[Levels];
    private readonly nint[] _products = new nint[2 * RowsProductEmitter.MaxRows * Levels];

    /// <summary>Decodes full blocks; see <see cref="KernelTier.DecodeBlocks"/>.</summary>
    /// <returns>False, without decoding, where the system has no more executable memory.</returns>
    public bool TryDecode(byte* high, byte* low, int blocks, NestedBits bits, sbyte* values)
    {
        bool isPart = low == null;
        ref nint entry = ref _decoders[Index(bits, isPart)];
        if (Volatile.Read(ref entry) == 0)
            EmittedCode.Map(ref entry, DecoderEmitter.Emit(bits, isPart), map);
        if (entry != EmittedCode.Refused && blocks > 0)
            ((delegate* unmanaged[Cdecl, SuppressGCTransition]<byte*, byte*, nint, sbyte*, void>)entry)(high, low, blocks, values);
        return entry != EmittedCode.Refused;
    }

    /// <summary>Multiplies rows; see <see cref="KernelTier.TryMultiplyBlocks"/>.</summary>
    public bool TryMultiply(
        in LevelOperands operands, int blocks, byte* rows, nint rowStride, int rowCount, int* accumulators, int* weightSums)
    {
        if (blocks == 0 || rowCount > RowsProductEmitter.MaxRows)
            return false;
        (NestedBits bits, bool isPart, bool hasWeightSums) = (operands.Bits, operands.Low == null, weightSums != null);
        int kind = (hasWeightSums ? RowsProductEmitter.MaxRows : 0) + rowCount - 1;
        ref nint entry = ref _products[kind * Levels + Index(bits, isPart)];
        if (Volatile.Read(ref entry) == 0)
            EmittedCode.Map(ref entry, RowsProductEmitter.Emit(bits, isPart, rowCount, hasWeightSums), map);
        if (entry == EmittedCode.Refused)
            return false;
        int* sums = stackalloc int[(RowsProductEmitter.MaxRows + 1) * Channels];
        int* target = hasWeightSums ? sums : accumulators;
        (
            (
                delegate* unmanaged[Cdecl, SuppressGCTransition]<byte*,
                byte*,
                nint,
                byte*,
                int*,
                nint,
                void>)entry)(operands.High, operands.Low, blocks, rows, target, rowStride);
        if (hasWeightSums)
        {
            int products = rowCount * Channels;
            new ReadOnlySpan<int>(sums, products).CopyTo(new Span<int>(accumulators, products));
            new ReadOnlySpan<int>(sums + products, Channels).CopyTo(new Span<int>(weightSums, Channels));
        }

        return true;
    }

    private static int Index(NestedBits bits, bool isPart) => ((isPart ? MostBits : 0) + bits.Full - 1) * MostBits + bits.High - 1;
}
