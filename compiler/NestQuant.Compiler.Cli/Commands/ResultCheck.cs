using McMaster.Extensions.CommandLineUtils;
using NestQuant.Onnx;
using NestQuant.Passes;
using NestQuant.Passes.Sessions;

namespace NestQuant.Compiler.Cli.Commands;

/// <summary>Loads what a command has written in ONNX Runtime, before it appears under its name.</summary>
/// <param name="Options">Whether to, and with which operators beside ONNX Runtime's and this project's.</param>
internal sealed record ResultCheck(CheckOptions Options)
{
    /// <summary>Adds the option that leaves the check out.</summary>
    public static CommandOption AddOption(CommandLineApplication command) =>
        command.Option("--no-check", "do not try whether ONNX Runtime loads the result", CommandOptionType.NoValue);

    /// <summary>Loads models.</summary>
    /// <param name="staged">Where they lie.</param>
    /// <param name="source">The model that they were made of.</param>
    /// <returns>What to tell the user where nothing could be found out; else null.</returns>
    /// <exception cref="ModelException">One does not load, and the source does.</exception>
    public string? Run(IEnumerable<string> staged, string source) =>
        Options.LoadResult && LoadCheck.Verify(staged, source, Options.CustomOps) is { } inherited
        ? $"not checked, since ONNX Runtime does not load the source either (--custom-ops LIB names operators of its own): {inherited}"
        : null;
}
