using McMaster.Extensions.CommandLineUtils;
using NestQuant.Compiler.Cli.Rendering;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Passes.Deliveries;

namespace NestQuant.Compiler.Cli.Commands;

/// <summary><c>nestquant split MODEL -o FOLDER</c>: what devices fetch, precision by precision.</summary>
internal static class SplitCommand
{
    public static void Add(CommandLineApplication app, CliConsole console, CancellationToken stop) => app.Command("split", command =>
    {
        command.Description = "Sort the files of a compiled model by the precision for which a device fetches them";
        command.ExtendedHelpText = """

            Writes a folder bits-N for every precision that some more files bring, each with
            delivery.json: its files in the order in which they must appear, with lengths
            and hashes. 'join' puts folders together again.

            Example:
              nestquant split out/model.onnx -o deliveries
            """;
        CommandArgument model = command.Argument("MODEL", "ONNX file, with its part models and data files beside it").IsRequired();
        CommandOption output = command.Option(
            "-o|--output <FOLDER>", "where the folders appear; created when missing", CommandOptionType.SingleValue).IsRequired();
        command.OnExecute(() =>
        {
            foreach ((Delivery delivery, string folder) in DeliveryFiles.Split(model.Value!, output.Value()!, stop))
                console.Line(
                    $"{folder}: {Numbers.Count(delivery.Files.Count)} files, {Numbers.Bytes(delivery.Files.Sum(file => file.Bytes))}");
            return ExitCode.Done;
        });
    });
}
