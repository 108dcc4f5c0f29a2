using System.Runtime.CompilerServices;

namespace NestQuant.RuntimeOps.Kernels.GroupNL.Functions;

/// <summary>sqrt(1 + u^2), within a relative 2^-23 of the exact value unless the square overflows, which gives infinity.</summary>
internal readonly struct Multiquadric : IMapFunction
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Apply<TLanes, TVector>(TVector u)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct =>
        TLanes.Sqrt(TLanes.MultiplyAdd(u, u, TLanes.Create(1f)));
}

/// <summary>1 / (1 + u^2), within 2^-23 of the exact value.</summary>
internal readonly struct InverseQuadratic : IMapFunction
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Apply<TLanes, TVector>(TVector u)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct =>
        TLanes.Divide(TLanes.Create(1f), TLanes.MultiplyAdd(u, u, TLanes.Create(1f)));
}

/// <summary>1 / sqrt(1 + u^2), within 1.5 * 2^-23 of the exact value.</summary>
internal readonly struct InverseMultiquadric : IMapFunction
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Apply<TLanes, TVector>(TVector u)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct =>
        TLanes.Divide(TLanes.Create(1f), default(Multiquadric).Apply<TLanes, TVector>(u));
}
