using NestQuant.Passes;
using NestQuant.Passes.Nesting;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Compiler.Cli.Configuration;

/// <summary>Rules for weights as the texts of a configuration file.</summary>
internal static class RuleText
{
    /// <summary>The rule whose keys have these values, all of which the reader has checked.</summary>
    public static WeightRule Read(Func<string, string?> valueOf) => new()
    {
        Name = valueOf("name"),
        Operator = valueOf("operator"),
        Bits = valueOf("bits") is { } bits ? NestedBits.Parse(bits) : null,
        Scheme = OneOf<WeightScheme>(valueOf("scheme")),
        Rounding = OneOf<WeightRounding>(valueOf("rounding")),
        SplitRounding = OneOf<WeightRounding>(valueOf("splitRounding")),
        Exclude = Switch(valueOf("exclude")),
        WeightOnly = Switch(valueOf("weightOnly")),
    };

    /// <summary>The value of a key of a rule; null where it has none.</summary>
    public static string? ValueOf(WeightRule rule, string key) => key switch
    {
        "name" => rule.Name,
        "operator" => rule.Operator,
        "bits" => rule.Bits?.ToString(),
        "scheme" => rule.Scheme is { } scheme ? OptionsText.Name(scheme) : null,
        "rounding" => rule.Rounding is { } rounding ? OptionsText.Name(rounding) : null,
        "splitRounding" => rule.SplitRounding is { } split ? OptionsText.Name(split) : null,
        "exclude" => Switch(rule.Exclude),
        "weightOnly" => Switch(rule.WeightOnly),
        _ => throw new ArgumentOutOfRangeException(nameof(key), key, "unknown key"),
    };

    private static T? OneOf<T>(string? text)
        where T : struct, Enum => text is null ? null : Enum.GetValues<T>().First(value => OptionsText.Name(value) == text);

    private static bool? Switch(string? text) => text is null ? null : text == Config.On;

    private static string? Switch(bool? value) => value is { } given ? given ? Config.On : Config.Off : null;
}
