using McMaster.Extensions.CommandLineUtils;
using NestQuant.Passes.Nesting;

namespace NestQuant.Compiler.Cli.Configuration;

/// <summary>
/// The options <c>--config</c> and <c>--print-config</c>: what a file says takes the place of options that the command line does not give.
/// </summary>
internal sealed class ConfigOptions(CommandLineApplication command, CommandArgument model)
{
    private readonly CommandOption _file = command.Option(
        "--config <FILE>", "read options from a JSON file (docs/config.md); those given here override it", CommandOptionType.SingleValue);
    private readonly CommandOption _print = command.Option(
        "--print-config", "print what --config would have to read for these options, and compile nothing", CommandOptionType.NoValue);

    /// <summary>Path of the file; null for none.</summary>
    public string? File => _file.HasValue() ? _file.Value() : null;

    /// <summary>Whether the options are to be printed.</summary>
    public bool Prints => _print.HasValue();

    /// <summary>Gives the options that the command line does not give the values of the file.</summary>
    /// <returns>The rules of the file.</returns>
    /// <exception cref="Onnx.ModelException">The file cannot be read.</exception>
    public IReadOnlyList<WeightRule> Apply()
    {
        Config config = File is { } path ? ConfigReader.Read(path) : Config.Empty;
        foreach ((string at, ConfigValue key) in ConfigKeys.Values)
        {
            if (!config.Values.TryGetValue(at, out IReadOnlyList<string>? texts) || ValuesOf(key) is not { Count: 0 } values) continue;
            if (key.Kind == ConfigKind.Numbers) values.Add(string.Join(',', texts));
            else if (key.Kind != ConfigKind.Switch) values.AddRange(texts);
            else if ((texts[0] == Config.On) != key.IsInverted) values.Add(Config.On);
        }

        return config.Rules;
    }

    /// <summary>The options of the command line and of the file as one configuration.</summary>
    /// <param name="rules">The rules of the file.</param>
    public Config Effective(IReadOnlyList<WeightRule> rules)
    {
        var values = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach ((string at, ConfigValue key) in ConfigKeys.Values)
        {
            if (ValuesOf(key) is not { Count: > 0 } given) continue;
            values[at] = key.Kind switch
            {
                ConfigKind.Switch => [key.IsInverted ? Config.Off : Config.On],
                ConfigKind.Numbers => given[0]!.Split(','),
                _ => [.. given.Select(static text => text!)],
            };
        }

        return new Config(values, rules);
    }

    /// <summary>The values that the command line gives a key's option; null for a key without an option.</summary>
    private List<string?>? ValuesOf(ConfigValue key) => key == ConfigKeys.Model
        ? model.Values
        : command.Options.FirstOrDefault(option => option.LongName == key.Option && key.Option is not null)?.Values;
}
