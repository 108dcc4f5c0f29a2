namespace NestQuant.RuntimeOps.Kernels.GroupNL.Functions;

/// <summary>Kinds of functions that generate maps.</summary>
internal enum MapFunctionKind
{
    /// <summary><see cref="Functions.Sine"/>.</summary>
    Sine,

    /// <summary><see cref="Functions.Gaussian"/>.</summary>
    Gaussian,

    /// <summary><see cref="Functions.Multiquadric"/>.</summary>
    Multiquadric,

    /// <summary><see cref="Functions.InverseQuadratic"/>.</summary>
    InverseQuadratic,

    /// <summary><see cref="Functions.InverseMultiquadric"/>.</summary>
    InverseMultiquadric,

    /// <summary><see cref="Functions.Monomial"/>.</summary>
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
