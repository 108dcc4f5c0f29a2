namespace NestQuant.RuntimeOps.Kernels.GroupNL.Functions;

/// <summary>
/// A nonlinear function of GroupNL's generated maps. Implementations are structs, so that every loop is compiled for its function.
/// </summary>
internal interface IMapFunction
{
    /// <summary>The function of every lane; NaN gives NaN.</summary>
    TVector Apply<TLanes, TVector>(TVector u)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct;
}

/// <summary>A loop that is compiled once for each function.</summary>
internal interface IMapFunctionLoop
{
    /// <summary>Runs the loop.</summary>
    void Run<TFunction>(TFunction function)
        where TFunction : struct, IMapFunction;
}
