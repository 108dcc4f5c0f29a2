using System.Globalization;
using NestQuant.Passes.GroupNL.Recognition;
using NestQuant.Passes.Sampling;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.GroupNL.Expansion;

/// <summary>
/// How <see cref="GroupNLExpandPass"/> rewrites convolutions; the defaults are those of the paper (arXiv 2506.12335, section 4).
/// </summary>
public sealed record GroupNLExpandOptions
{
    private const string PowerKey = "power";

    private readonly UniformRange? _period, _shift;

    /// <summary>r, at least 2: a convolution with C outputs keeps C / r seeds, and r - 1 maps are generated from each.</summary>
    public int Ratio { get; init; } = 2;

    /// <summary>g, at least 1: number of groups of seeds, each with its own shift and period per copy.</summary>
    public int Groups { get; init; } = 4;

    /// <summary>
    /// Whether the seed convolution has as many groups as the inputs and the seeds allow, their greatest common divisor. A grouped or
    /// depthwise convolution is always replaced by such a one.
    /// </summary>
    public bool Sparse { get; init; }

    /// <summary>Seed of the shifts and periods. The same seed gives the same model.</summary>
    public int Seed { get; init; }

    /// <summary>How the expansion is written.</summary>
    public GroupNLForm Form { get; init; } = GroupNLForm.Standard;

    /// <summary>What generates the maps from (n - shift) * period.</summary>
    public GroupNLFunction Function { get; init; } = GroupNLFunction.Sine;

    /// <summary>
    /// Range of the periods, drawn uniformly. Unless set, 1 to 2, as in the paper; for radial functions 1 to 7, as MonoCNN draws their
    /// width.
    /// </summary>
    public UniformRange Period
    {
        get => _period ?? (Function.IsRadial ? new UniformRange(1, 7) : new UniformRange(1, 2));
        init => _period = value;
    }

    /// <summary>
    /// Range of the shifts, drawn uniformly. Unless set, 1 to 5, as in the paper; for functions other than the sine, which are not
    /// periodic, -1 to 1, where the normalised maps lie.
    /// </summary>
    public UniformRange Shift
    {
        get => _shift ?? (Function == GroupNLFunction.Sine ? new UniformRange(1, 5) : new UniformRange(-1, 1));
        init => _shift = value;
    }

    /// <summary>
    /// Patterns of the names of the convolutions to expand, instead of the paper's placement; empty for that placement. A pattern that
    /// matches no Conv is an error.
    /// </summary>
    public IReadOnlyList<string> Include { get; init; } = [];

    /// <summary>Patterns of the names of convolutions to leave alone. A pattern that matches no Conv is an error.</summary>
    public IReadOnlyList<string> Exclude { get; init; } = [];

    /// <summary>
    /// Parses <c>r=2,g=4,sparse,seed=1,form=fused,period=1:2,shift=1:5,function=monomial,power=3</c>, where any part may be left out.
    /// </summary>
    /// <exception cref="FormatException">A part is unknown, given twice, or has an invalid value; the message says which.</exception>
    public static GroupNLExpandOptions Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var options = new GroupNLExpandOptions();
        int? power = null;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (string part in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            string key = equals < 0 ? part : part[..equals], value = equals < 0 ? "" : part[(equals + 1)..];
            if (!seen.Add(key)) throw new FormatException($"'{key}' is given twice");
            if (key == PowerKey) power = ParsePower(value, part);
            else options = options.With(key, value, part);
        }

        if (power is null) return options;
        return options.Function.Name == GroupNLFunctions.Monomial
            ? options with { Function = GroupNLFunction.Monomial(power.Value) }
            : throw new FormatException($"'{PowerKey}' is the exponent of function=monomial: {options.Function.Name} has none");
    }

    /// <summary>The options in the syntax of <see cref="Parse"/>, with all parts; without the patterns.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"r={Ratio},g={Groups}{(Sparse ? ",sparse" : "")},seed={Seed},"
            + $"form={(Form == GroupNLForm.Fused ? "fused" : "standard")},period={Period},shift={Shift},function={Function}");

    private GroupNLExpandOptions With(string key, string value, string part) => key switch
    {
        "r" => this with { Ratio = Integer(value, 2, part) },
        "g" => this with { Groups = Integer(value, 1, part) },
        "seed" => this with { Seed = Integer(value, 0, part) },
        "sparse" when part == key => this with { Sparse = true },
        "period" => this with { Period = UniformRange.Parse(value) },
        "shift" => this with { Shift = UniformRange.Parse(value) },
        "form" when value == "standard" => this with { Form = GroupNLForm.Standard },
        "form" when value == "fused" => this with { Form = GroupNLForm.Fused },
        "form" => throw new FormatException($"'{part}': standard and fused are possible"),
        "function" when !GroupNLFunctions.All.Contains(value) =>
            throw new FormatException($"'{part}': {string.Join(", ", GroupNLFunctions.All)} are possible"),
        "function" when value == GroupNLFunctions.Monomial =>
            this with { Function = GroupNLFunction.Monomial(GroupNLFunctions.DefaultPower) },
        "function" => this with { Function = GroupNLFunction.Of(value) },
        _ =>
            throw new FormatException(
                $"'{part}' is unknown: r=2, g=4, sparse, seed=1, form=standard, period=1:2, shift=1:5, function=sine and "
                    + $"{PowerKey}=3 are possible"),
    };

    private static int ParsePower(string value, string part)
    {
        int power = Integer(value, GroupNLFunctions.LeastPower, part);
        return power <= GroupNLFunctions.GreatestPower
            ? power
            : throw new FormatException(
                string.Create(CultureInfo.InvariantCulture, $"'{part}': {GroupNLFunctions.GreatestPower} is the greatest power"));
    }

    private static int Integer(string value, int least, string part) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least
            ? number
            : throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"'{part}': an integer of at least {least} is needed"));
}

/// <summary>How an expansion is written.</summary>
public enum GroupNLForm
{
    /// <summary>
    /// In operators of ONNX itself, so that any framework can train it; batch normalisation stays unfolded for the same reason.
    /// </summary>
    Standard,

    /// <summary>As one GroupNLExpand, including the batch normalisation and the activation after it.</summary>
    Fused,
}
