using McMaster.Extensions.CommandLineUtils;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Passes.GroupNL;
using NestQuant.Passes.GroupNL.Expansion;

namespace NestQuant.Compiler.Cli.Commands;

/// <summary>The option <c>--groupnl</c>, one of whose values has parts of its own: <c>expand:r=2,g=4</c>.</summary>
internal static class GroupNLArgument
{
    private const string Keyword = "expand", Prefix = Keyword + ":";

    /// <summary>What happens to the blocks of a model.</summary>
    /// <exception cref="UsageException">The option has an unknown value.</exception>
    public static GroupNLMode ParseMode(CommandOption option) => option.Text() switch
    {
        null or "fuse" => GroupNLMode.Fuse,
        "off" => GroupNLMode.Off,
        _ when IsExpansion(option) => GroupNLMode.Fuse,
        var text => throw new UsageException($"--groupnl is '{text}': fuse, off and expand[:r=2,g=4,...] are possible"),
    };

    /// <summary>The expansion that is asked for, or null.</summary>
    /// <exception cref="UsageException">A part is wrong, or there are patterns and no expansion.</exception>
    public static GroupNLExpandOptions? ParseExpansion(CommandOption option, CommandOption include, CommandOption exclude)
    {
        if (!IsExpansion(option))
        {
            return include.HasValue() || exclude.HasValue()
                ? throw new UsageException("--groupnl-include and --groupnl-exclude say what to expand: give --groupnl expand too")
                : null;
        }

        try
        {
            string text = option.Text()!;
            return GroupNLExpandOptions.Parse(text == Keyword ? "" : text[Prefix.Length..]) with
            {
                Include = [.. include.Values.Select(pattern => pattern!)],
                Exclude = [.. exclude.Values.Select(pattern => pattern!)],
            };
        }
        catch (FormatException e)
        {
            throw new UsageException($"--groupnl: {e.Message}");
        }
    }

    private static bool IsExpansion(CommandOption option) =>
        option.Text() is { } text && (text == Keyword || text.StartsWith(Prefix, StringComparison.Ordinal));
}
