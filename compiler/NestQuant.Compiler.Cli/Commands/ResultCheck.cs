using McMaster.Extensions.CommandLineUtils;
using NestQuant.Onnx;
using NestQuant.Passes.Sessions;

namespace NestQuant.Compiler.Cli.Commands;

/// <summary>Loads what a command has written in ONNX Runtime, before it appears under its name.</summary>
/// <param name="IsWanted">False with <c>--no-check</c>.</param>
/// <param name="CustomOps">Paths of libraries with operators that the model uses.</param>
internal sealed record ResultCheck(bool IsWanted, IReadOnlyList<string> CustomOps)
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
        IsWanted && LoadCheck.Verify(staged, source, CustomOps) is { } inherited
        ? $"not checked, since ONNX Runtime does not load the source either (--custom-ops LIB names operators of its own): {inherited}"
        : null;
}
