namespace NestQuant.RuntimeOps.Kernels.Floats;

/// <summary>
/// Float vectors of one width, for products of floats with nested weights. Each operation rounds once, as defined by IEEE 754, so that
/// every width gives the same bits.
/// </summary>
/// <typeparam name="TVector">The vector.</typeparam>
internal unsafe interface IFloatVectors<TVector>
    where TVector : struct
{
    /// <summary>Floats of a vector.</summary>
    static abstract int Count { get; }

    /// <summary>The same value in every lane.</summary>
    static abstract TVector Create(float value);

    /// <summary>Reads <see cref="Count"/> floats.</summary>
    static abstract TVector Load(float* source);

    /// <summary>Writes <see cref="Count"/> floats.</summary>
    static abstract void Store(TVector value, float* target);

    /// <summary>a * b + c, rounded once.</summary>
    static abstract TVector MultiplyAdd(TVector a, TVector b, TVector c);

    /// <summary>a - b.</summary>
    static abstract TVector Subtract(TVector a, TVector b);

    /// <summary>Bounded by min and max: NaN stays NaN, and so do zeros of either sign at a bound of 0.</summary>
    static abstract TVector Clamp(TVector value, TVector min, TVector max);

    /// <summary>
    /// The weights of one row of k: of <see cref="Count"/> channels with four rows each, <c>[channel][4]</c>, the byte of that row.
    /// </summary>
    /// <param name="fours">4 * <see cref="Count"/> signed bytes.</param>
    /// <param name="row">0 to 3, known at compile time.</param>
    static abstract TVector Weights(sbyte* fours, int row);
}
