using System.Runtime.CompilerServices;

namespace NestQuant.RuntimeOps.Kernels.GroupNL.Functions;

/// <summary>
/// The parameters of one expansion: n = x / max(norm of x over the seed maps, epsilon), generated map g = f((n of its source - shift) *
/// period) with f its function, then every map's scale, bias and activation. The caller has checked every length and keeps the memory
/// alive.
/// </summary>
internal sealed unsafe class ExpansionData
{
    /// <summary>The most pixels of a plane that are expanded at a time, a multiple of every vector's width.</summary>
    public const int MaxPlanePixels = 512;

    /// <summary>The greatest norm: ONNX Runtime's Clip without an upper bound turns infinity into the greatest float.</summary>
    private const float MaxNorm = float.MaxValue;

    /// <summary>The smallest normal float: the inverse of a smaller norm may not be finite.</summary>
    public const float LeastEpsilon = 1.17549435e-38f;

    // Below 2^-63 squares lose bits to underflow: with such a small epsilon, values that are not 0 could have a norm of 0.
    private const float LeastBoundingEpsilon = 1.0842022e-19f;

    private readonly float _seedBound;

    /// <summary>Binds the parameters.</summary>
    /// <param name="function">f.</param>
    /// <param name="sources">Where the G generated maps come from.</param>
    /// <param name="seeds">Cs, at least the seeds that the sources need.</param>
    /// <param name="shift">Shifts [G].</param>
    /// <param name="period">Periods [G].</param>
    /// <param name="scale">Scales [Cs + G], or null for 1.</param>
    /// <param name="bias">Biases [Cs + G], or null for 0.</param>
    /// <param name="epsilon">The least norm, finite and at least <see cref="LeastEpsilon"/>.</param>
    /// <param name="activation">The activation after scale and bias.</param>
    public ExpansionData(
        in MapFunction function, SourceMap sources, int seeds, float* shift, float* period, float* scale, float* bias, float epsilon,
        in MapActivation activation)
    {
        Function = function;
        Sources = sources;
        Seeds = seeds;
        Shift = shift;
        Period = period;
        Scale = scale;
        Bias = bias;
        Epsilon = epsilon;
        Activation = activation;
        HasEpilogue = scale != null || bias != null || !activation.IsNone;

        // A component is at most its norm, and 2 leaves room for the rounding of the norm.
        _seedBound = epsilon >= LeastBoundingEpsilon ? 2 : float.PositiveInfinity;
        WideMaps = FindWideMaps();
    }

    /// <summary>What generates the maps.</summary>
    public MapFunction Function { get; }

    /// <summary>Where the generated maps come from.</summary>
    public SourceMap Sources { get; }

    /// <summary>Cs.</summary>
    public int Seeds { get; }

    /// <summary>C = Cs + G.</summary>
    public int Maps => Seeds + Sources.Count;

    /// <summary>Shifts [G].</summary>
    public float* Shift { get; }

    /// <summary>Periods [G].</summary>
    public float* Period { get; }

    /// <summary>Scales [C], or null for 1.</summary>
    public float* Scale { get; }

    /// <summary>Biases [C], or null for 0.</summary>
    public float* Bias { get; }

    /// <summary>The least norm.</summary>
    public float Epsilon { get; }

    /// <summary>The activation after scale and bias.</summary>
    public MapActivation Activation { get; }

    /// <summary>Whether normalised and generated maps need a scale, a bias or an activation to become the output.</summary>
    public bool HasEpilogue { get; }

    /// <summary>The generated maps, ascending, for which <see cref="IsWide"/> holds: none with the parameters that GroupNL draws.</summary>
    public int[] WideMaps { get; }

    /// <summary>
    /// Whether the function is the sine and may have an argument beyond <see cref="Sine.MaxArgument"/>, judging by shift, period and
    /// epsilon; a shift or period that is not finite counts as beyond. Each of its sines is <see cref="Math.Sin"/>, rounded to float.
    /// </summary>
    public bool IsWide(int generated) => Function.Kind == MapFunctionKind.Sine
        && !((_seedBound + MathF.Abs(Shift[generated])) * MathF.Abs(Period[generated]) <= Sine.MaxArgument);

    /// <summary>The scale of a map.</summary>
    public float ScaleOf(int map) => Scale == null ? 1f : Scale[map];

    /// <summary>The bias of a map.</summary>
    public float BiasOf(int map) => Bias == null ? 0f : Bias[map];

    /// <summary>One generated value of a wide map, before scale and bias.</summary>
    public float WideSine(int generated, float n) => (float)Math.Sin((n - Shift[generated]) * Period[generated]);

    /// <summary>
    /// The inverse of the norm, from the sum of squares: multiplying by it differs from dividing by the norm in the last two bits at most,
    /// except for norms so large that their inverse is subnormal.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector InverseNorm<TLanes, TVector>(TVector sumOfSquares)
        where TLanes : struct, ILanes<TVector>
        where TVector : struct
    {
        TVector norm = TLanes.AtLeast(TLanes.Sqrt(sumOfSquares), TLanes.Create(Epsilon));
        return TLanes.Divide(TLanes.Create(1f), TLanes.AtMost(norm, TLanes.Create(MaxNorm)));
    }

    private int[] FindWideMaps()
    {
        List<int>? wide = null;
        for (int g = 0; g < Sources.Count; g++)
        {
            if (IsWide(g))
                (wide ??= []).Add(g);
        }

        return wide is null ? [] : [.. wide];
    }
}
