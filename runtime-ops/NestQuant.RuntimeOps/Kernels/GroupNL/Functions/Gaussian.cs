using System.Runtime.CompilerServices;

namespace NestQuant.RuntimeOps.Kernels.GroupNL.Functions;

/// <summary>exp(-u^2), within <see cref="MaxError"/> of the exact value for every float u; the infinities give 0, NaN gives NaN.</summary>
/// <remarks>
/// The square is rounded as ONNX's Mul does, t = -u * u. With k the integer nearest to t / ln 2, exp t = 2^k exp(t - k ln 2); ln 2 is the
/// sum of two floats. The exponential of the remainder, within ln 2 / 2 of 0, is a polynomial of degree 6 whose own relative error is below
/// 4e-9 (minimax, by iteratively reweighted least squares). Below 2^-126.5 the result is 0.
/// </remarks>
internal readonly struct Gaussian : IMapFunction
{
    /// <summary>The bound of the absolute error.</summary>
    public const double MaxError = 1.2e-7;

    // Adding 1.5 * 2^23 + 127 leaves k + 127, the exponent of 2^k, in the low bits of a float's representation.
    private const float RoundingShift = 12582912f + 127f;
    private const float LeastExponent = -88.02969f;
    private const float InverseLn2 = 1.442695f;
    private const float Ln2High = 0.6931472f;
    private const float Ln2Low = -1.9046542e-9f;
    private const float C2 = 0.49999994f;
    private const float C3 = 0.16666521f;
    private const float C4 = 0.041668393f;
    private const float C5 = 0.0083687445f;
    private const float C6 = 0.0013814528f;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Apply<TLanes, TVector>(TVector u)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        TVector t = TLanes.AtLeast(TLanes.Subtract(default, TLanes.Multiply(u, u)), TLanes.Create(LeastExponent));
        TVector shift = TLanes.Create(RoundingShift);
        TVector shifted = TLanes.MultiplyAdd(t, TLanes.Create(InverseLn2), shift);
        TVector k = TLanes.Subtract(shifted, shift);
        TVector r = TLanes.NegatedMultiplyAdd(k, TLanes.Create(Ln2High), t);
        r = TLanes.NegatedMultiplyAdd(k, TLanes.Create(Ln2Low), r);
        TVector p = TLanes.MultiplyAdd(TLanes.Create(C6), r, TLanes.Create(C5));
        p = TLanes.MultiplyAdd(p, r, TLanes.Create(C4));
        p = TLanes.MultiplyAdd(p, r, TLanes.Create(C3));
        p = TLanes.MultiplyAdd(p, r, TLanes.Create(C2));
        p = TLanes.MultiplyAdd(p, r, TLanes.Create(1f));
        p = TLanes.MultiplyAdd(p, r, TLanes.Create(1f));
        return TLanes.Multiply(p, TLanes.PowerOfTwo(shifted));
    }
}
