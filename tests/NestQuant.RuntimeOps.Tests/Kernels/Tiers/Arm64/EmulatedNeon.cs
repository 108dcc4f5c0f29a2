using System.Diagnostics.CodeAnalysis;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Kernels.Tiers.Arm64;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers.Arm64;

/// <summary>The instructions of arm64 in operations of any processor, so that the tiers' loops are tested on all of them.</summary>
internal readonly struct EmulatedNeon : INeon, ISignedDot
{
    public static Vector128<int> Add(
        Vector128<int> sums, Vector128<sbyte> weights, Vector128<sbyte> x, [ConstantExpected(Max = (byte)3)] byte four)
    {
        Vector128<sbyte> repeated = Vector128.Create(x.AsInt32().GetElement(four)).AsSByte();
        Vector128<int> first = AddPairsLower(Vector128<int>.Zero, weights, repeated);
        Vector128<int> second = AddPairsUpper(Vector128<int>.Zero, weights, repeated);
        return sums + Vector128.Narrow(first.AsInt64(), second.AsInt64()) + Vector128.Narrow(first.AsInt64() >> 32, second.AsInt64() >> 32);
    }

    public static Vector128<int> AddFours(Vector128<int> sums, Vector128<sbyte> values) =>
        sums + Pairs((values.AsInt16() << 8 >> 8) + (values.AsInt16() >> 8));

    public static Vector128<int> AddPairsLower(Vector128<int> sums, Vector128<sbyte> a, Vector128<sbyte> b) =>
        sums + Pairs(Vector128.WidenLower(a) * Vector128.WidenLower(b));

    public static Vector128<int> AddPairsUpper(Vector128<int> sums, Vector128<sbyte> a, Vector128<sbyte> b) =>
        sums + Pairs(Vector128.WidenUpper(a) * Vector128.WidenUpper(b));

    public static Vector128<int> AddProductsLower(Vector128<int> sums, Vector128<short> a, Vector128<short> b) =>
        sums + Vector128.WidenLower(a) * Vector128.WidenLower(b);

    public static Vector128<int> AddProductsUpper(Vector128<int> sums, Vector128<short> a, Vector128<short> b) =>
        sums + Vector128.WidenUpper(a) * Vector128.WidenUpper(b);

    /// <summary>The sums of neighbours.</summary>
    private static Vector128<int> Pairs(Vector128<short> values) => (values.AsInt32() << 16 >> 16) + (values.AsInt32() >> 16);
}
