using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Kernels.Tiers.AvxVnni;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers.AvxVnni;

/// <summary>vpdpbusd in instructions of AVX2, so that the tier's loops are tested on processors that have no more.</summary>
internal readonly struct EmulatedDot : IByteDot
{
    public static Vector256<int> Add(Vector256<int> sums, Vector256<byte> unsigned, Vector256<sbyte> signed)
    {
        Vector256<int> low = X86Avx2.MultiplyAddAdjacent(
            X86Avx2.ConvertToVector256Int16(unsigned.GetLower()), X86Avx2.ConvertToVector256Int16(signed.GetLower()));
        Vector256<int> high = X86Avx2.MultiplyAddAdjacent(
            X86Avx2.ConvertToVector256Int16(unsigned.GetUpper()), X86Avx2.ConvertToVector256Int16(signed.GetUpper()));
        return sums + X86Avx2.Permute4x64(X86Avx2.HorizontalAdd(low, high).AsInt64(), 0b11_01_10_00).AsInt32();
    }
}
