using System.Runtime.InteropServices;
using NestQuant.RuntimeOps.Kernels.Emission;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Avx512Vnni;

/// <summary>The emitted decoders of this process, each made when its pair of widths is first met.</summary>
/// <param name="map">Makes code executable.</param>
internal sealed unsafe class EmittedDecoders(EmittedCode.MapCode map)
{
    private const int MostBits = 8;

    private readonly Decoder?[] _decoders = new Decoder?[2 * MostBits * MostBits];

    /// <summary>Decodes full blocks; see <see cref="KernelTier.DecodeBlocks"/>.</summary>
    /// <returns>Whether it did: false where the system has no more executable memory.</returns>
    public bool TryDecode(byte* high, byte* low, int blocks, NestedBits bits, sbyte* values)
    {
        bool isPart = low == null;
        int index = ((isPart ? MostBits : 0) + bits.Full - 1) * MostBits + bits.High - 1;

        // Two threads may emit the same decoder: both work, and the second is kept.
        Decoder decoder = Volatile.Read(ref _decoders[index]) ?? (_decoders[index] = new Decoder(map, bits, isPart));
        if (decoder.Entry == 0)
            return false;
        if (blocks > 0)
            ((delegate* unmanaged[Cdecl, SuppressGCTransition]<byte*, byte*, nint, sbyte*, byte*, void>)decoder.Entry)(high, low, blocks, values, decoder.Constants);
        return true;
    }

    private sealed class Decoder
    {
        public Decoder(EmittedCode.MapCode map, NestedBits bits, bool isPart)
        {
            (byte[] code, byte[] constants) = DecoderEmitter.Emit(bits, isPart);
            if (EmittedCode.TryMap([code], map, out _) is not { } entries)
                return;

            // For the rest of the process's life, as the code.
            Constants = (byte*)NativeMemory.AlignedAlloc((nuint)constants.Length, 64);
            constants.CopyTo(new Span<byte>(Constants, constants.Length));
            Entry = entries[0];
        }

        public nint Entry { get; }

        public byte* Constants { get; }
    }
}
