using McMaster.Extensions.CommandLineUtils;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Passes.Deliveries;

namespace NestQuant.Compiler.Cli.Commands;

/// <summary><c>nestquant join DELIVERY... -o FOLDER</c>: the files of a device that has fetched some deliveries.</summary>
internal static class JoinCommand
{
    public static void Add(CommandLineApplication app, CliConsole console, CancellationToken cancellation) => app.Command("join", command =>
    {
        command.Description = "Put folders that 'split' wrote together into one that a model runs from";
        command.ExtendedHelpText = """

            Every file is compared with its hash; all files appear, models last, or none do.
            The folder may have the deliveries of lower precisions already.

            Example:
              nestquant join deliveries/bits-6 deliveries/bits-8 -o device
            """;
        CommandArgument deliveries = command.Argument(
            "DELIVERY", "folders that 'split' wrote, lowest precision first", multipleValues: true).IsRequired();
        CommandOption output = command.Option(
            "-o|--output <FOLDER>", "where the files appear; created when missing", CommandOptionType.SingleValue).IsRequired();
        command.OnExecute(() =>
        {
            console.Line($"{DeliveryFiles.Join([.. deliveries.Values.Select(folder => folder!)], output.Value()!, cancellation)}");
            return ExitCode.Done;
        });
    });
}
