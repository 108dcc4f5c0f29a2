using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace NestQuant.RuntimeOps.Kernels.Floats;

/// <summary>Eight floats, on processors with AVX2 and FMA.</summary>
/// <remarks>In bounds: each method touches exactly what <see cref="IFloatVectors{TVector}"/> says; the caller owns it.</remarks>
internal readonly unsafe struct Vectors256 : IFloatVectors<Vector256<float>>
{
    /// <inheritdoc/>
    public static int Count => 8;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Create(float value) => Vector256.Create(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(float* source) => Vector256.Load(source);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<float> value, float* target) => value.Store(target);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c) => Fma.MultiplyAdd(a, b, c);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Subtract(Vector256<float> a, Vector256<float> b) => a - b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Clamp(Vector256<float> value, Vector256<float> min, Vector256<float> max)
    {
        value = Vector256.ConditionalSelect(Vector256.LessThan(value, min), min, value);
        return Vector256.ConditionalSelect(Vector256.GreaterThan(value, max), max, value);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Weights(sbyte* fours, int row)
    {
        Vector256<int> values = Vector256.Load((int*)fours);
        if (row < 3)
            values <<= 24 - 8 * row;
        return Vector256.ConvertToSingle(values >> 24);
    }
}
