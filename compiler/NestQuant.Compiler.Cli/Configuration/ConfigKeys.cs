using NestQuant.Passes;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.OperatorSets;

namespace NestQuant.Compiler.Cli.Configuration;

/// <summary>All keys of a configuration file: the one place from which it is read, written and described.</summary>
internal static class ConfigKeys
{
    private static readonly string[] SplitRoundings = NamesOf<WeightRounding>(), Schemes = NamesOf<WeightScheme>();

    // The first stage never rounds down.
    private static readonly string[] Roundings = [.. SplitRoundings.Except([OptionsText.Name(WeightRounding.Floor)])];

    /// <summary>Name of the list of rules, in the section of weights.</summary>
    public const string Rules = "rules";

    /// <summary>The key that stands for the model to compile, which a command line gives as an argument.</summary>
    public static ConfigValue Model { get; } = Text("model", "The ONNX file to compile.");

    /// <summary>The whole file.</summary>
    public static ConfigSection Root { get; } = new(
        "",
        "What 'nestquant compile --config' reads. Paths are relative to the working directory; options on the command line override.",
        [
            Text("$schema", "The JSON schema of this file, for editors."),
            Model,
            Text("output", "The ONNX file to write.", "output"),
            Texts("reports", "Reports to write, .json or .html.", "report"),
            new ConfigSection("weights", "Which weights are nested, and how.",
            [
                Levels("nest"),
                Choice("scheme", "Where the zero of a weight lies.", Schemes, "weights"),
                Choice("rounding", "Rounding to n bits.", Roundings, "rounding"),
                Choice(
                    "splitRounding", "Rounding to the lower levels; by default calibrated where there is data, else as to n bits.",
                    SplitRoundings, "split-rounding"),
                Choice(
                    "range", "The weights that n bits hold: all, or a range that is better on the data.", NamesOf<WeightRange>(),
                    "weight-range"),
                new ConfigValue("budgetBytes", "Most bytes of high bits; chooses h weight by weight.", ConfigKind.Integer, "budget-bytes")
                {
                    Minimum = 1,
                },
                new ConfigValue("budgetDb", "Signal to noise ratio to reach; chooses h weight by weight.", ConfigKind.Number, "budget-db"),
                Texts("include", "Patterns of the names of the only nodes to nest.", "include"),
                Texts("exclude", "Patterns of the names of nodes to leave as they are.", "exclude"),
                new ConfigList(Rules, "Other settings for some nodes; the most specific rule wins.", Rule(), ["name", "operator"]),
            ]),
            new ConfigSection("activations", "How activations reach nested weights.",
            [
                Choice("mode", "Quantized, and when, or not at all.", NamesOf<ActivationMode>(), "activations"),
                Text("guard", "Most dB that quantized activations may cost an output on the data, or off.", "activation-guard") with
                {
                    Pattern = "^(off|[0-9]+(\\.[0-9]+)?)$",
                    Example = "4, or off",
                },
            ]),
            new ConfigSection(
                "calibration", "Data that ranges of activations, the rounding of weights, and refits of an expansion are taken from.",
            [
                Text("data", "Inputs of the model, or a file of ranges.", "calibrate"),
                Text("method", "How ranges are chosen.", "calibration") with
                {
                    Pattern = "^(minmax|percentile(:[0-9.]+)?|entropy|mse)$",
                    Example = "minmax, percentile:99.9, entropy or mse",
                },
                Choice("synthetic", "Random images in the place of data, for the rounding of weights.", ["image"], "synthetic"),
                new ConfigValue(
                    "samples", "Most samples that weights are rounded for.", ConfigKind.Integer, "calibration-samples") { Minimum = 1 },
                Text("size", "Pixels that pictures are scaled to.", "size") with
                {
                    Pattern = "^[1-9][0-9]*(x[1-9][0-9]*)?$",
                    Example = "224 or 224x320",
                },
                new ConfigValue("mean", "Subtracted from pixels, for all channels or for each.", ConfigKind.Numbers, "mean"),
                new ConfigValue("std", "Divides the difference, for all channels or for each.", ConfigKind.Numbers, "std"),
            ]),
            new ConfigSection("groupNL", "What happens to GroupNL blocks, and to convolutions that may become some.",
            [
                Text("mode", "What becomes of blocks.", "groupnl") with
                {
                    Pattern = "^(fuse|off|expand(:.+)?)$",
                    Example = "fuse, off, expand or expand:r=2,g=4",
                },
                Texts("include", "Patterns of the names of the convolutions to expand.", "groupnl-include"),
                Texts("exclude", "Patterns of the names of convolutions not to expand.", "groupnl-exclude"),
                new ConfigValue("budget", "Largest relative error of a refitted layer.", ConfigKind.Number, "groupnl-budget")
                {
                    Minimum = 0,
                    IsExclusive = true,
                },
                new ConfigValue("ridge", "Regularisation of the refit.", ConfigKind.Number, "ridge") { Minimum = 0 },
            ]),
            new ConfigValue("opset", "Version of ONNX's operator set to upgrade the model to.", ConfigKind.Integer, "opset")
            {
                Minimum = OperatorSetUpgradePass.Oldest,
                Maximum = OperatorSetUpgradePass.Newest,
            },
            new ConfigValue(
                "keepOverridable",
                "Whether initializers that are also inputs stay so where all are.",
                ConfigKind.Switch,
                "keep-overridable"),
            Texts(
                "constantInputs",
                "Patterns of the names of initializers that are constants although they are inputs.",
                "constant-inputs"),
            Texts("customOps", "Libraries with operators that the model uses.", "custom-ops"),
            new ConfigValue("check", "Whether ONNX Runtime has to load the result.", ConfigKind.Switch, "no-check") { IsInverted = true },
            new ConfigValue(
                "allowLinks", "Whether external data may be a link; for models that are trusted.", ConfigKind.Switch, "allow-links"),
            new ConfigValue("threads", "Most threads to use.", ConfigKind.Integer, "threads") { Minimum = 1 },
        ]);

    /// <summary>Every simple key with the sections that lead to it, for example <c>weights.bits</c>.</summary>
    public static IEnumerable<(string Path, ConfigValue Value)> Values { get; } =
    [
        .. Root.Keys.OfType<ConfigValue>().Select(static value => (value.Name, value)),
        .. from section in Root.Keys.OfType<ConfigSection>()
           from value in section.Keys.OfType<ConfigValue>()
           select ($"{section.Name}.{value.Name}", value),
    ];

    private static ConfigSection Rule() => new("rule", "Settings for the nodes of a name, a pattern of names, or an operator.",
    [
        Text("name", "Name of a node, or a pattern of names."),
        Choice("operator", "Operator type.", NestingCandidate.Operators),
        Levels(),
        Choice("scheme", "Where the zero of a weight lies.", Schemes),
        Choice("rounding", "Rounding to n bits.", Roundings),
        Choice("splitRounding", "Rounding to the lower levels.", SplitRoundings),
        new ConfigValue("exclude", "Whether the nodes stay as they are.", ConfigKind.Switch),
        new ConfigValue("weightOnly", "Whether the nodes keep float activations.", ConfigKind.Switch),
    ]);

    private static string[] NamesOf<T>()
        where T : struct, Enum => [.. Enum.GetValues<T>().Select(OptionsText.Name)];

    private static ConfigValue Text(string name, string description, string? option = null) =>
        new(name, description, ConfigKind.Text, option);

    private static ConfigValue Levels(string? option = null) =>
        Text("bits", "n:h, bits at full and at part precision, or more levels in descending order.", option) with
        {
            Pattern = "^(?=[2-8](:[2-8])+$)(8:?)?(7:?)?(6:?)?(5:?)?(4:?)?(3:?)?2?$",
            Example = "8:6, or 8:6:4 for more levels",
        };

    private static ConfigValue Texts(string name, string description, string option) => new(name, description, ConfigKind.Texts, option);

    private static ConfigValue Choice(string name, string description, IReadOnlyList<string> allowed, string? option = null) =>
        new(name, description, ConfigKind.Text, option) { Allowed = allowed };
}
