using McMaster.Extensions.CommandLineUtils;
using NestQuant.Compiler.Calibration;
using NestQuant.Compiler.Cli.Output;
using NestQuant.Compiler.Cli.Rendering;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Files.Transactions;

namespace NestQuant.Compiler.Cli.Commands;

/// <summary><c>nestquant merge-ranges A.json B.json ... -o ALL.json</c>: joins the statistics of parts of a data set.</summary>
internal static class MergeRangesCommand
{
    public static void Add(CommandLineApplication app, CliConsole console) => app.Command("merge-ranges", command =>
    {
        command.Description = "Join what 'calibrate' found on parts of a data set";
        command.ExtendedHelpText = """

            The result is what one sweep over all parts would have given, bit for bit, in
            whatever order the files are named. All files must come from the same model.

            Example:
              nestquant merge-ranges part-*.json -o ranges.json
            """;
        CommandArgument files = command.Argument("FILE", "JSON files that 'calibrate' wrote", multipleValues: true).IsRequired();
        CommandOption output = command.Option(
            "-o|--output <FILE>", "JSON file to write; its folder is created when missing", CommandOptionType.SingleValue).IsRequired();
        command.OnExecute(() =>
        {
            string[] paths = [.. files.Values.Select(file => file!)];
            if (paths.GroupBy(Path.GetFullPath, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice)
                throw new UsageException($"{twice.First()}: is named twice: its samples would count twice");
            using var transaction = new FileTransaction();
            foreach (string path in paths)
                transaction.Reads.Add(path);
            RangesFile.Prepare(transaction, output.Value()!);

            CalibrationStatistics all = CalibrationJson.Load(paths[0]);
            foreach (string path in paths.Skip(1))
                all.Add(CalibrationJson.Load(path), path);
            SavedFile written = RangesFile.Write(all, transaction, output.Value()!);
            transaction.Commit();
            console.Line(
                $"{Numbers.Count(paths.Length)} files joined: {Numbers.Count(all.Values.Count)} activations, "
                    + $"{Numbers.Count(all.Samples)} samples");
            RangesFile.Report(console, written);
            return ExitCode.Done;
        });
    });
}
