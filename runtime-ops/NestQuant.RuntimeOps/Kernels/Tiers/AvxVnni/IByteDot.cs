using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using X86AvxVnni = System.Runtime.Intrinsics.X86.AvxVnni;

namespace NestQuant.RuntimeOps.Kernels.Tiers.AvxVnni;

/// <summary>The tier's one special instruction, as an interface, so that its loops can also run on processors that lack it.</summary>
internal interface IByteDot
{
    /// <summary>Adds four products of unsigned and signed bytes to each 32-bit accumulator, without saturation.</summary>
    static abstract Vector256<int> Add(Vector256<int> accumulators, Vector256<byte> unsigned, Vector256<sbyte> signed);
}

/// <summary>vpdpbusd on 256 bits.</summary>
internal readonly struct VnniDot : IByteDot
{
    /// <summary>Whether this process can run the instruction.</summary>
    public static bool IsSupported => X86AvxVnni.IsSupported;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> accumulators, Vector256<byte> unsigned, Vector256<sbyte> signed) =>
        X86AvxVnni.MultiplyWideningAndAdd(accumulators, unsigned, signed);
}
