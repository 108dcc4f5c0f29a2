using McMaster.Extensions.CommandLineUtils;
using NestQuant.Compiler.Cli.Rendering;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Evaluation.Inspection;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Files.Transactions;

namespace NestQuant.Compiler.Cli.Commands;

/// <summary><c>nestquant inspect MODEL</c>: what is nested, at which bits, in how many bytes.</summary>
internal static class InspectCommand
{
    public static void Add(CommandLineApplication app, CliConsole console) => app.Command("inspect", command =>
    {
        command.Description = "Show what is nested in a model, its precisions and its files";
        command.ExtendedHelpText = """

            With --unpack, every nested weight is written in the source weight's shape as
            <node>.w_int.npy, .w_high.npy and .w_low.npy (int8) with <node>.scale.npy
            (float32) and <node>.zero_point.npy (int32) per output channel: w_int = 2^(n-h)
            * w_high + w_low and w = (w_int - zero_point) * scale. A part model has no w_int
            and w_low.
            """;
        CommandArgument model = command.Argument("MODEL", "ONNX file").IsRequired();
        CommandOption json = command.Option("--json", "print JSON", CommandOptionType.NoValue);
        CommandOption unpack = command.Option(
            "--unpack <DIR>", "write the integers of every nested weight as .npy files", CommandOptionType.SingleValue);
        var links = new LinkOption(command);
        command.OnExecute(() =>
        {
            ModelInspection inspection = ModelInspection.Of(model.Value!, links.Parse());
            if (unpack.Text() is { } folder)
                Unpack(inspection, folder, console);
            if (json.HasValue())
                console.Out.WriteLine(InspectionJson.Write(inspection));
            else
                InspectionTables.Write(console, inspection);
            return ExitCode.Done;
        });
    });

    private static void Unpack(ModelInspection inspection, string folder, CliConsole console)
    {
        using var transaction = new FileTransaction();
        foreach (SavedFile file in inspection.Files)
            transaction.Reads.Add(file.Path);
        transaction.OpenFolder(folder);
        WeightUnpacker.Write(inspection.Operators, folder, transaction);
        transaction.Commit();
        if (inspection.IsPart)
            console.Error.WriteLine("nestquant: a part model has no low operands: w_int and what is absent of w_low are not written");
    }
}
