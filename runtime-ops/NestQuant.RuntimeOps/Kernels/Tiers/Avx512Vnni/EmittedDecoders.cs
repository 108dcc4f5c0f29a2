using NestQuant.RuntimeOps.Kernels.Emission;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

/// <summary>The emitted decoders of this process, each emitted when its pair of widths is first used.</summary>
/// <param name="map">Makes code executable.</param>
internal sealed unsafe class EmittedDecoders(EmittedCode.MapCode map)
{
    private const int MostBits = 8;
    private const nint Refused = -1;

    private readonly nint[] _decoders = new nint[2 * MostBits * MostBits];
    private readonly nint[] _products = new nint[2 * MostBits * MostBits];

    /// <summary>Decodes full blocks; see <see cref="KernelTier.DecodeBlocks"/>.</summary>
    /// <returns>False, without decoding, where the system has no more executable memory.</returns>
    public bool TryDecode(byte* high, byte* low, int blocks, NestedBits bits, sbyte* values)
    {
        nint entry = Entry(_decoders, bits, low == null, DecoderEmitter.Emit);
        if (entry != Refused && blocks > 0)
            ((delegate* unmanaged[Cdecl, SuppressGCTransition]<byte*, byte*, nint, sbyte*, void>)entry)(high, low, blocks, values);
        return entry != Refused;
    }

    /// <summary>Multiplies a row; see <see cref="KernelTier.TryMultiplyBlocks"/>.</summary>
    public bool TryMultiply(byte* high, byte* low, int blocks, NestedBits bits, byte* row, int* accumulators, int* weightSums)
    {
        nint entry = blocks == 0 ? Refused : Entry(_products, bits, low == null, DecoderEmitter.EmitProduct);
        if (entry != Refused)
            (
                (
                    delegate* unmanaged[Cdecl, SuppressGCTransition]<byte*,
                    byte*,
                    nint,
                    byte*,
                    int*,
                    int*,
                    void>)entry)(high, low, blocks, row, accumulators, weightSums);
        return entry != Refused;
    }

    private nint Entry(nint[] entries, NestedBits bits, bool isPart, Func<NestedBits, bool, byte[]> emit)
    {
        // Two threads may emit the same function: both work, and the second is kept.
        ref nint entry = ref entries[((isPart ? MostBits : 0) + bits.Full - 1) * MostBits + bits.High - 1];
        nint known = Volatile.Read(ref entry);
        if (known == 0)
        {
            known = EmittedCode.TryMap([emit(bits, isPart)], map, out _)?[0] ?? Refused;
            Volatile.Write(ref entry, known);
        }

        return known;
    }
}
