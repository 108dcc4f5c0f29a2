namespace NestQuant.RuntimeOps.Kernels.GroupNL;

/// <summary>Kinds of functions that generate maps.</summary>
internal enum MapFunctionKind
{
    /// <summary><see cref="GroupNL.Sine"/>.</summary>
    Sine,

    /// <summary><see cref="GroupNL.Gaussian"/>.</summary>
    Gaussian,

    /// <summary><see cref="GroupNL.Multiquadric"/>.</summary>
    Multiquadric,

    /// <summary><see cref="GroupNL.InverseQuadratic"/>.</summary>
    InverseQuadratic,

    /// <summary><see cref="GroupNL.InverseMultiquadric"/>.</summary>
    InverseMultiquadric,

    /// <summary><see cref="GroupNL.Monomial"/>.</summary>
    Monomial,
}

/// <summary>The function that generates the maps.</summary>
/// <param name="Kind">The kind of function.</param>
/// <param name="Power">The exponent of a monomial, at least 2; 0 for the others.</param>
internal readonly record struct MapFunction(MapFunctionKind Kind, int Power = 0)
{
    /// <summary>GroupNL's own.</summary>
    public static MapFunction Sine => default;

    /// <summary>Runs a loop with this function.</summary>
    public void Run<TLoop>(in TLoop loop)
        where TLoop : struct, IMapFunctionLoop
    {
        switch (Kind)
        {
            case MapFunctionKind.Sine:
                loop.Run(default(Sine));
                break;
            case MapFunctionKind.Gaussian:
                loop.Run(default(Gaussian));
                break;
            case MapFunctionKind.Multiquadric:
                loop.Run(default(Multiquadric));
                break;
            case MapFunctionKind.InverseQuadratic:
                loop.Run(default(InverseQuadratic));
                break;
            case MapFunctionKind.InverseMultiquadric:
                loop.Run(default(InverseMultiquadric));
                break;
            case MapFunctionKind.Monomial:
                loop.Run(new Monomial(Power));
                break;
            default:
                throw new InvalidOperationException($"no loop is compiled for {Kind}");
        }
    }
}
