using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NestQuant.RuntimeOps.Kernels.GroupNL.Functions;

/// <summary>Four floats, on any processor.</summary>
/// <remarks>In bounds: each method touches exactly the floats that <see cref="ILanes{TVector}"/> says; the caller owns them.</remarks>
internal readonly unsafe struct Lanes128 : ILanes<Vector128<float>>
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
    public static Vector128<float> LoadPartial(float* source, int count)
    {
        // In bounds: count is less than the lanes of a vector. ReadyToRun leaves out methods with WithElement or GetElement of a variable.
        Vector128<float> value = default;
        for (int lane = 0; lane < count; lane++)
            ((float*)&value)[lane] = source[lane];
        return value;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Gather(float* source, int* indices) =>
        Vector128.Create(source[indices[0]], source[indices[1]], source[indices[2]], source[indices[3]]);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<float> value, float* target) => value.Store(target);

    /// <inheritdoc/>
    public static void StorePartial(Vector128<float> value, float* target, int count)
    {
        // In bounds: as in LoadPartial.
        for (int lane = 0; lane < count; lane++)
            target[lane] = ((float*)&value)[lane];
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Add(Vector128<float> a, Vector128<float> b) => a + b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Subtract(Vector128<float> a, Vector128<float> b) => a - b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Multiply(Vector128<float> a, Vector128<float> b) => a * b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Divide(Vector128<float> a, Vector128<float> b) => a / b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MultiplyAdd(Vector128<float> a, Vector128<float> b, Vector128<float> c) =>
        Vector128.FusedMultiplyAdd(a, b, c);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> NegatedMultiplyAdd(Vector128<float> a, Vector128<float> b, Vector128<float> c) =>
        Vector128.FusedMultiplyAdd(-a, b, c);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Sqrt(Vector128<float> value) => Vector128.Sqrt(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> AtLeast(Vector128<float> value, Vector128<float> bound) =>
        Vector128.ConditionalSelect(Vector128.LessThan(value, bound), bound, value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> AtMost(Vector128<float> value, Vector128<float> bound) =>
        Vector128.ConditionalSelect(Vector128.GreaterThan(value, bound), bound, value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Absolute(Vector128<float> value) => Vector128.Abs(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> PowerOfTwo(Vector128<float> exponent) => (exponent.AsInt32() << 23).AsSingle();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> NegateWhereOdd(Vector128<float> value, Vector128<float> parity) =>
        value ^ (parity.AsInt32() << 31).AsSingle();

    /// <inheritdoc/>
    public static float SumOfSquares(float* source, int count)
    {
        Vector128<float> low = default, high = default;
        int i = 0;
        for (; i <= count - 8; i += 8)
        {
            Vector128<float> a = Load(source + i), b = Load(source + i + 4);
            low = MultiplyAdd(a, a, low);
            high = MultiplyAdd(b, b, high);
        }

        if (i <= count - 4)
        {
            Vector128<float> a = Load(source + i);
            low = MultiplyAdd(a, a, low);
            Vector128<float> b = LoadPartial(source + i + 4, count - i - 4);
            high = MultiplyAdd(b, b, high);
        }
        else
        {
            Vector128<float> a = LoadPartial(source + i, count - i);
            low = MultiplyAdd(a, a, low);
        }

        return SumOfPartialSums(low + high);
    }

    /// <summary>The last steps in which <see cref="ILanes{TVector}.SumOfSquares"/> adds its partial sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float SumOfPartialSums(Vector128<float> sums)
    {
        Vector128<float> pairs = sums + Vector128.Shuffle(sums, Vector128.Create(2, 3, 2, 3));
        return pairs.ToScalar() + pairs.GetElement(1);
    }
}
