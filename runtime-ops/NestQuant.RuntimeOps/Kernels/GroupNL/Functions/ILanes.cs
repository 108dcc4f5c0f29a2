namespace NestQuant.RuntimeOps.Kernels.GroupNL.Functions;

/// <summary>
/// Float vectors of one width. GroupNL's kernels are written once with these operations; each rounds once, as defined by IEEE 754, so that
/// every width gives the same bits.
/// </summary>
/// <typeparam name="TVector">The vector.</typeparam>
internal unsafe interface ILanes<TVector>
    where TVector : struct
{
    /// <summary>Floats of a vector, at most <see cref="SourceMap.MaxLanes"/>.</summary>
    static abstract int Count { get; }

    /// <summary>The same value in every lane.</summary>
    static abstract TVector Create(float value);

    /// <summary>Reads <see cref="Count"/> floats.</summary>
    static abstract TVector Load(float* source);

    /// <summary>Reads the first <paramref name="count"/> lanes, fewer than <see cref="Count"/>, and sets the others to 0.</summary>
    static abstract TVector LoadPartial(float* source, int count);

    /// <summary>Reads <c>source[indices[lane]]</c> for every lane.</summary>
    static abstract TVector Gather(float* source, int* indices);

    /// <summary>Writes <see cref="Count"/> floats.</summary>
    static abstract void Store(TVector value, float* target);

    /// <summary>Writes the first <paramref name="count"/> lanes, fewer than <see cref="Count"/>.</summary>
    static abstract void StorePartial(TVector value, float* target, int count);

    /// <summary>a + b.</summary>
    static abstract TVector Add(TVector a, TVector b);

    /// <summary>a - b.</summary>
    static abstract TVector Subtract(TVector a, TVector b);

    /// <summary>a * b.</summary>
    static abstract TVector Multiply(TVector a, TVector b);

    /// <summary>a / b.</summary>
    static abstract TVector Divide(TVector a, TVector b);

    /// <summary>a * b + c, rounded once.</summary>
    static abstract TVector MultiplyAdd(TVector a, TVector b, TVector c);

    /// <summary>c - a * b, rounded once.</summary>
    static abstract TVector NegatedMultiplyAdd(TVector a, TVector b, TVector c);

    /// <summary>The square root.</summary>
    static abstract TVector Sqrt(TVector value);

    /// <summary>The greater of value and bound: NaN stays NaN.</summary>
    static abstract TVector AtLeast(TVector value, TVector bound);

    /// <summary>The lesser of value and bound: NaN stays NaN.</summary>
    static abstract TVector AtMost(TVector value, TVector bound);

    /// <summary>The value without its sign.</summary>
    static abstract TVector Absolute(TVector value);

    /// <summary>2^(e - 127), where e, 0 to 254, is in the low bits of the representation; 0 for e = 0.</summary>
    static abstract TVector PowerOfTwo(TVector exponent);

    /// <summary>Negates the value where the last bit of <paramref name="parity"/>'s representation is 1.</summary>
    static abstract TVector NegateWhereOdd(TVector value, TVector parity);

    /// <summary>
    /// The sum of the squares of <paramref name="count"/> floats, in the same order for every width: element i is added to partial sum
    /// i mod 8 by a fused multiply-add; then partial sums j and j + 4 are joined, then j and j + 2, then the last two.
    /// </summary>
    static abstract float SumOfSquares(float* source, int count);
}
