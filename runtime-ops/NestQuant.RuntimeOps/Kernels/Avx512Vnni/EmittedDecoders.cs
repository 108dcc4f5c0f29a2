using NestQuant.RuntimeOps.Kernels.Emission;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Avx512Vnni;

/// <summary>The emitted decoders of this process, each made when its pair of widths is first met.</summary>
/// <param name="map">Makes code executable.</param>
internal sealed unsafe class EmittedDecoders(EmittedCode.MapCode map)
{
    private const int MostBits = 8;

    private const nint Refused = -1;

    private readonly nint[] _entries = new nint[2 * MostBits * MostBits];

    /// <summary>Decodes full blocks; see <see cref="KernelTier.DecodeBlocks"/>.</summary>
    /// <returns>Whether it did: false where the system has no more executable memory.</returns>
    public bool TryDecode(byte* high, byte* low, int blocks, NestedBits bits, sbyte* values)
    {
        bool isPart = low == null;
        int index = ((isPart ? MostBits : 0) + bits.Full - 1) * MostBits + bits.High - 1;

        // Two threads may emit the same decoder: both work, and the second is kept.
        nint entry = Volatile.Read(ref _entries[index]);
        if (entry == 0)
        {
            entry = EmittedCode.TryMap([DecoderEmitter.Emit(bits, isPart)], map, out _)?[0] ?? Refused;
            Volatile.Write(ref _entries[index], entry);
        }

        if (entry == Refused)
            return false;
        if (blocks > 0)
            ((delegate* unmanaged[Cdecl, SuppressGCTransition]<byte*, byte*, nint, sbyte*, void>)entry)(high, low, blocks, values);
        return true;
    }
}
