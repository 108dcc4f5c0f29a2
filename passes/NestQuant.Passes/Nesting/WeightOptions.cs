using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Nesting;

/// <summary>Which weights are nested, and how.</summary>
public sealed record WeightOptions
{
    /// <summary>Bit widths n:h; null nests no weight but those that a rule gives bits.</summary>
    public NestedBits? Bits { get; init; }

    /// <summary>Symmetric or affine weights.</summary>
    public WeightScheme Scheme { get; init; } = WeightScheme.Symmetric;

    /// <summary>Rounding of the first stage, which makes integers of n bits: adaptive, nearest, or calibrated.</summary>
    public WeightRounding Rounding { get; init; } = WeightRounding.Adaptive;

    /// <summary>
    /// Rounding of the second stage, which takes high bits of them; null for calibrated where there is <see cref="Calibration"/>, and for
    /// that of the first stage elsewhere.
    /// </summary>
    public WeightRounding? SplitRounding { get; init; }

    /// <summary>The range of weights that integers of n bits hold; calibrated needs a Calibration.</summary>
    public WeightRange Range { get; init; }

    /// <summary>Data that calibrated rounding looks at; null for none.</summary>
    public WeightCalibration? Calibration { get; init; }

    /// <summary>How the bits of part precision are chosen weight by weight; null where all have h. Needs a Calibration.</summary>
    public BitBudget? Budget { get; init; }

    /// <summary>
    /// Patterns of the names of the only nodes to nest (<c>*</c>, <c>?</c>); none for all. One that matches no node is an error.
    /// </summary>
    public IReadOnlyList<string> Include { get; init; } = [];

    /// <summary>
    /// Patterns of the names of nodes to leave as they are, whatever else names them. One that matches no node is an error.
    /// </summary>
    public IReadOnlyList<string> Exclude { get; init; } = [];

    /// <summary>Other settings for some nodes, see <see cref="WeightRule"/>.</summary>
    public IReadOnlyList<WeightRule> Rules { get; init; } = [];

    /// <summary>Rounding of the second stage where no rule says otherwise.</summary>
    /// <param name="first">Rounding of the first stage.</param>
    internal WeightRounding SplitRoundingAfter(WeightRounding first) =>
        SplitRounding ?? (Calibration is null ? first : WeightRounding.Calibrated);

    /// <summary>Whether options or a rule name calibrated rounding.</summary>
    internal bool AsksForData =>
        IsCalibrated(Rounding, SplitRounding) || Rules.Any(static rule => IsCalibrated(rule.Rounding, rule.SplitRounding));

    /// <summary>Whether anything can be nested.</summary>
    public bool Nests => Bits is not null || Rules.Any(static rule => rule.Bits is not null);

    /// <summary>Fails where options contradict each other, whatever the model.</summary>
    /// <exception cref="ArgumentException">They do.</exception>
    internal void Verify()
    {
        if (!Nests && (Include.Count > 0 || Exclude.Count > 0 || Rules.Count > 0))
            throw new ArgumentException(
                "Weights: Include, Exclude and Rules say what to nest, but neither Bits nor a rule gives bit widths");
        VerifyFirstStage(Rounding, "Weights");
        for (int i = 0; i < Rules.Count; i++)
        {
            Rules[i].Verify(i);
            if (Rules[i].Rounding is { } rounding) VerifyFirstStage(rounding, $"Weights: rule {i + 1}");
        }

        if (Budget is null) return;
        Budget.Verify();
        if (SplitRounding is not (null or WeightRounding.Calibrated))
            throw new ArgumentException("Weights: a Budget chooses bits by calibrated errors: give no other SplitRounding");
        if (Bits is not { Count: 2 })
            throw new ArgumentException("Weights: a Budget chooses between two levels n:h, h being the fewest bits: give such Bits");
    }

    /// <summary>Fails where rounding needs data that is missing.</summary>
    /// <exception cref="ArgumentException">It does.</exception>
    internal void VerifyData()
    {
        if (Calibration is null && AsksForData)
            throw new ArgumentException("Weights: Calibrated rounding needs data: give a Calibration, or round without data");
        if (Calibration is null && Range == WeightRange.Calibrated)
            throw new ArgumentException("Weights: a Calibrated Range needs data: give a Calibration, or the MinMax Range");
        if (Calibration is null && Budget is not null)
            throw new ArgumentException("Weights: a Budget chooses bits by calibrated errors: give a Calibration");
    }

    private static bool IsCalibrated(WeightRounding? first, WeightRounding? second) =>
        first == WeightRounding.Calibrated || second == WeightRounding.Calibrated;

    private static void VerifyFirstStage(WeightRounding rounding, string where)
    {
        if (rounding == WeightRounding.Floor)
            throw new ArgumentException($"{where}: Floor is a SplitRounding: the first stage rounds adaptively, to nearest or calibrated");
    }
}

/// <summary>How real numbers become integers (NestQuant; SQuant, arXiv 2202.07471).</summary>
public enum WeightRounding
{
    /// <summary>Data-free flipping that keeps the error sum of every kernel and channel within one half.</summary>
    Adaptive,

    /// <summary>Round to nearest, ties to even.</summary>
    Nearest,

    /// <summary>
    /// Up or down so that the layer's outputs on data change least, layer after layer, with a scale and a bias of its own below full
    /// precision; needs <see cref="WeightOptions.Calibration"/>. docs/algorithms.md describes it.
    /// </summary>
    Calibrated,

    /// <summary>Round down, in the second stage only, where it is a plain bit shift: the paper's ablation.</summary>
    Floor,
}

/// <summary>The weights of an output channel that its integers can hold; those outside are clipped.</summary>
public enum WeightRange
{
    /// <summary>All of them.</summary>
    MinMax,

    /// <summary>
    /// A smaller range where that lowers the error of the layer's outputs on data, over all levels, and full precision does not lose by it.
    /// </summary>
    Calibrated,
}

/// <summary>Where the zero of a weight lies, per output channel.</summary>
public enum WeightScheme
{
    /// <summary>Zero point 0, scale from the largest magnitude.</summary>
    Symmetric,

    /// <summary>Scale and zero point from minimum and maximum, as in the paper.</summary>
    Affine,
}
