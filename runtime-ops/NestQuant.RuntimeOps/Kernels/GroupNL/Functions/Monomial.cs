using System.Runtime.CompilerServices;

namespace NestQuant.RuntimeOps.Kernels.GroupNL.Functions;

/// <summary>
/// sign(u) |u|^power, by repeated squaring: within a relative (power - 1) * 2^-23 of the exact value unless that overflows, which gives an
/// infinity, or is subnormal.
/// </summary>
/// <param name="power">At least 2.</param>
internal readonly struct Monomial(int power) : IMapFunction
{
    private readonly int _power = power;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Apply<TLanes, TVector>(TVector u)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        TVector result = u;
        TVector square = TLanes.Absolute(u);
        for (int rest = _power - 1; rest != 0; rest >>= 1)
        {
            if ((rest & 1) != 0)
                result = TLanes.Multiply(result, square);
            square = TLanes.Multiply(square, square);
        }

        return result;
    }
}
