using NestQuant.Passes.Nesting;

namespace NestQuant.Compiler.Cli.Configuration;

/// <summary>What a configuration file says.</summary>
/// <param name="Values">Values by the path of their key, such as <c>weights.bits</c>, as texts; those of a list one by one.</param>
/// <param name="Rules">The rules for some weights.</param>
internal sealed record Config(IReadOnlyDictionary<string, IReadOnlyList<string>> Values, IReadOnlyList<WeightRule> Rules)
{
    /// <summary>The value of a switch that is on.</summary>
    public const string On = "true";

    /// <summary>The value of a switch that is off.</summary>
    public const string Off = "false";

    /// <summary>What no file says.</summary>
    public static Config Empty { get; } = new(new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal), []);
}
