using System.Runtime.CompilerServices;

namespace NestQuant.RuntimeOps.Kernels.GroupNL.Functions;

/// <summary>The activation after an expansion.</summary>
/// <param name="IsHardSwish">Whether it is HardSwish; else it is a clip; with bounds -infinity and +infinity it changes nothing.</param>
/// <param name="Min">Lower bound of the clip.</param>
/// <param name="Max">Upper bound of the clip.</param>
internal readonly record struct MapActivation(bool IsHardSwish, float Min, float Max)
{
    /// <summary>No activation.</summary>
    public static MapActivation None => new(false, float.NegativeInfinity, float.PositiveInfinity);

    /// <summary>A clip.</summary>
    public static MapActivation Clip(float min, float max) => new(false, min, max);

    /// <summary>HardSwish.</summary>
    public static MapActivation HardSwish => new(true, float.NegativeInfinity, float.PositiveInfinity);

    /// <summary>Whether it leaves every value as it is.</summary>
    public bool IsNone => this == None;
}

/// <summary>The last step for every map, seed or generated. Implementations are structs, so that loops without an epilogue are compiled
/// without one.</summary>
internal interface IMapEpilogue<TVector>
    where TVector : struct
{
    /// <summary>Scale, bias and activation.</summary>
    TVector Apply(TVector y, TVector scale, TVector bias);
}

/// <summary>No scale, no bias and no activation.</summary>
internal readonly struct NoEpilogue<TVector> : IMapEpilogue<TVector>
    where TVector : struct
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Apply(TVector y, TVector scale, TVector bias) => y;
}

/// <summary>y * scale + bias, rounded once, and then the activation.</summary>
internal readonly struct MapEpilogue<TLanes, TVector>(in MapActivation activation) : IMapEpilogue<TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    private readonly TVector _min = TLanes.Create(activation.Min);
    private readonly TVector _max = TLanes.Create(activation.Max);
    private readonly bool _isHardSwish = activation.IsHardSwish;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Apply(TVector y, TVector scale, TVector bias)
    {
        y = TLanes.MultiplyAdd(y, scale, bias);
        if (!_isHardSwish)
            return TLanes.AtMost(TLanes.AtLeast(y, _min), _max);
        TVector gate = TLanes.MultiplyAdd(y, TLanes.Create(1f / 6f), TLanes.Create(0.5f));
        return TLanes.Multiply(y, TLanes.AtLeast(TLanes.AtMost(gate, TLanes.Create(1f)), default));
    }
}
