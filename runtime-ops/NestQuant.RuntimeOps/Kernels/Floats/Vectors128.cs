using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NestQuant.RuntimeOps.Kernels.Floats;

/// <summary>Four floats, on any processor.</summary>
/// <remarks>In bounds: each method touches exactly what <see cref="IFloatVectors{TVector}"/> says; the caller owns it.</remarks>
internal readonly unsafe struct Vectors128 : IFloatVectors<Vector128<float>>
{
    /// <inheritdoc/>
    public static int Count => 4;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Create(float value) => Vector128.Create(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Load(float* source) => Vector128.Load(source);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<float> value, float* target) => value.Store(target);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MultiplyAdd(Vector128<float> a, Vector128<float> b, Vector128<float> c) =>
        Vector128.FusedMultiplyAdd(a, b, c);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Subtract(Vector128<float> a, Vector128<float> b) => a - b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Clamp(Vector128<float> value, Vector128<float> min, Vector128<float> max)
    {
        value = Vector128.ConditionalSelect(Vector128.LessThan(value, min), min, value);
        return Vector128.ConditionalSelect(Vector128.GreaterThan(value, max), max, value);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Weights(sbyte* fours, int row)
    {
        Vector128<int> values = Vector128.Load((int*)fours);
        if (row < 3)
            values <<= 24 - 8 * row;
        return Vector128.ConvertToSingle(values >> 24);
    }
}
