using McMaster.Extensions.CommandLineUtils;
using NestQuant.Onnx.Files;

namespace NestQuant.Compiler.Cli.Commands;

/// <summary>The option <c>--allow-links</c> of a command that loads models.</summary>
internal sealed class LinkOption(CommandLineApplication command)
{
    private readonly CommandOption _allow = command.Option(
        "--allow-links",
        "take external data that is a symbolic link or has several hard links; for models that are trusted",
        CommandOptionType.NoValue);

    /// <summary>How models are loaded.</summary>
    public LoadOptions Parse() => new() { AllowLinks = _allow.HasValue() };
}
