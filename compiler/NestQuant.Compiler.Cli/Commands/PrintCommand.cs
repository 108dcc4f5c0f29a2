using McMaster.Extensions.CommandLineUtils;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Files.Transactions;
using NestQuant.Onnx.Text;

namespace NestQuant.Compiler.Cli.Commands;

/// <summary><c>nestquant print MODEL</c>: the model in ONNX's textual syntax.</summary>
internal static class PrintCommand
{
    private static readonly TextOptions Defaults = new();

    public static void Add(CommandLineApplication app, CliConsole console) => app.Command("print", command =>
    {
        command.Description = "Print a model as text";
        command.ExtendedHelpText = """

            The text is ONNX's own textual syntax, one node a line. Large weights are elided
            to type, shape and a hash, so that the text is short and changes when the
            weights do: what a snapshot test compares. Where the model comes from (producer,
            versions, options, hashes) is left out for the same reason, unless --metadata
            asks for it. The parser of the Python package onnx, 1.17 or newer, reads the
            text (onnx.parser.parse_model); with --weights, it is the whole graph.
            """;
        CommandArgument model = command.Argument("MODEL", "ONNX file").IsRequired();
        CommandOption weights = command.Option("--weights", "print the values of all weights", CommandOptionType.NoValue);
        CommandOption most = command.Option(
            "--max-elements <N>",
            $"print the values of weights of up to N elements, default {Defaults.MaxElements}",
            CommandOptionType.SingleValue);
        CommandOption metadata = command.Option("--metadata", "print the producer and all metadata", CommandOptionType.NoValue);
        CommandOption output = command.Option("-o|--output <FILE>", "write to a file instead", CommandOptionType.SingleValue);
        var links = new LinkOption(command);
        command.OnExecute(() =>
        {
            if (weights.HasValue() && most.HasValue())
                throw new UsageException("--weights prints every value: --max-elements cannot be given with it");
            var options = new TextOptions
            {
                ElideWeights = !weights.HasValue(),
                MaxElements = most.PositiveInteger() ?? Defaults.MaxElements,
                Metadata = metadata.HasValue(),
            };
            Print(model.Value!, links.Parse(), options, output.Text(), console);
            return ExitCode.Done;
        });
    });

    private static void Print(string path, LoadOptions load, TextOptions options, string? output, CliConsole console)
    {
        if (output is null)
        {
            console.Out.Write(ModelText.Print(ModelFile.Load(path, load), options));
            return;
        }

        using var transaction = new FileTransaction();
        transaction.Reads.Add(path);
        transaction.OpenFolder(Path.GetDirectoryName(Path.GetFullPath(output))!);
        ModelProto model = ModelFile.Load(path, load);
        transaction.Reads.AddData(model);
        transaction.WriteText(output, ModelText.Print(model, options));
        transaction.Commit();
    }
}
