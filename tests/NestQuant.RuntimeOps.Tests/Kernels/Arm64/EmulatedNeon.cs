using System.Diagnostics.CodeAnalysis;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Kernels.Arm64;

namespace NestQuant.RuntimeOps.Tests.Kernels.Arm64;

/// <summary>The instructions of arm64 in operations of any processor, so that the tier's loops are tested on all of them.</summary>
internal readonly struct EmulatedNeon : INeon
{
    public static Vector128<int> Dot(Vector128<int> sums, Vector128<sbyte> weights, Vector128<sbyte> x, [ConstantExpected(Max = (byte)3)] byte four)
    {
        Vector128<sbyte> repeated = Vector128.Create(x.AsInt32().GetElement(four)).AsSByte();
        Vector128<int> first = Pairs(Vector128.WidenLower(weights) * Vector128.WidenLower(repeated));
        Vector128<int> second = Pairs(Vector128.WidenUpper(weights) * Vector128.WidenUpper(repeated));
        Vector128<int> even = Vector128.Narrow(first.AsInt64(), second.AsInt64());
        Vector128<int> odd = Vector128.Narrow(first.AsInt64() >> 32, second.AsInt64() >> 32);
        return sums + even + odd;
    }

    public static Vector128<int> MultiplyAddLower(Vector128<int> sums, Vector128<short> a, Vector128<short> b) =>
        sums + Vector128.WidenLower(a) * Vector128.WidenLower(b);

    public static Vector128<int> MultiplyAddUpper(Vector128<int> sums, Vector128<short> a, Vector128<short> b) =>
        sums + Vector128.WidenUpper(a) * Vector128.WidenUpper(b);

    /// <summary>The sums of neighbours.</summary>
    private static Vector128<int> Pairs(Vector128<short> products) => (products.AsInt32() << 16 >> 16) + (products.AsInt32() >> 16);
}
