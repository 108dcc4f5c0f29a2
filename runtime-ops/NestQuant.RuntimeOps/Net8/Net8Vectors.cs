#if !NET9_0_OR_GREATER
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace NestQuant.RuntimeOps.Net8;

/// <summary>The vector operations that .NET 9 added, for .NET 8, with the same results.</summary>
internal static class Net8Vectors
{
    extension(Vector128)
    {
        /// <summary>a * b + c, rounded once.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector128<float> FusedMultiplyAdd(Vector128<float> a, Vector128<float> b, Vector128<float> c)
        {
            if (Fma.IsSupported)
                return Fma.MultiplyAdd(a, b, c);
            return AdvSimd.IsSupported ? AdvSimd.FusedMultiplyAdd(c, a, b) : FuseEach(a, b, c);
        }

        /// <summary>The nearest integer, the even one of two.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector128<float> Round(Vector128<float> value)
        {
            if (AdvSimd.IsSupported)
                return AdvSimd.RoundToNearest(value);
            return Sse41.IsSupported ? Sse41.RoundToNearestInteger(value) : RoundEach(value);
        }
    }

    extension(Vector256<int>)
    {
        /// <summary>0 to 7.</summary>
        public static Vector256<int> Indices => Vector256.Create(0, 1, 2, 3, 4, 5, 6, 7);
    }

    extension(Vector512)
    {
        /// <summary>a * b + c, rounded once, where there is AVX-512.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> FusedMultiplyAdd(Vector512<float> a, Vector512<float> b, Vector512<float> c) =>
            Avx512F.FusedMultiplyAdd(a, b, c);
    }

    private static Vector128<float> FuseEach(Vector128<float> a, Vector128<float> b, Vector128<float> c)
    {
        for (int lane = 0; lane < Vector128<float>.Count; lane++)
            c = c.WithElement(lane, MathF.FusedMultiplyAdd(a[lane], b[lane], c[lane]));
        return c;
    }

    private static Vector128<float> RoundEach(Vector128<float> value)
    {
        for (int lane = 0; lane < Vector128<float>.Count; lane++)
            value = value.WithElement(lane, MathF.Round(value[lane]));
        return value;
    }
}
#endif
