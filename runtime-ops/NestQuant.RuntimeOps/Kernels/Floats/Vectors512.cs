using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NestQuant.RuntimeOps.Kernels.Floats;

/// <summary>Sixteen floats, on processors with AVX-512.</summary>
/// <remarks>In bounds: each method touches exactly what <see cref="IFloatVectors{TVector}"/> says; the caller owns it.</remarks>
internal readonly unsafe struct Vectors512 : IFloatVectors<Vector512<float>>
{
    /// <inheritdoc/>
    public static int Count => 16;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Create(float value) => Vector512.Create(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(float* source) => Vector512.Load(source);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> value, float* target) => value.Store(target);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MultiplyAdd(Vector512<float> a, Vector512<float> b, Vector512<float> c) =>
        Vector512.FusedMultiplyAdd(a, b, c);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Subtract(Vector512<float> a, Vector512<float> b) => a - b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Clamp(Vector512<float> value, Vector512<float> min, Vector512<float> max)
    {
        value = Vector512.ConditionalSelect(Vector512.LessThan(value, min), min, value);
        return Vector512.ConditionalSelect(Vector512.GreaterThan(value, max), max, value);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Weights(sbyte* fours, int row)
    {
        Vector512<int> values = Vector512.Load((int*)fours);
        if (row < 3)
            values <<= 24 - 8 * row;
        return Vector512.ConvertToSingle(values >> 24);
    }
}
