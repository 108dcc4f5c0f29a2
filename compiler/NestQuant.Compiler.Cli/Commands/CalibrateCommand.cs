using McMaster.Extensions.CommandLineUtils;
using NestQuant.Compiler.Calibration;
using NestQuant.Compiler.Cli.Output;
using NestQuant.Compiler.Cli.Rendering;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Compiler.Pipeline;
using NestQuant.Data;
using NestQuant.Evaluation;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Files.Transactions;
using NestQuant.Passes;
using NestQuant.Passes.Calibration;
using NestQuant.Passes.Cleanup;
using NestQuant.Passes.Folding;
using NestQuant.Passes.GroupNL;
using NestQuant.Passes.OperatorSets;

namespace NestQuant.Compiler.Cli.Commands;

/// <summary>
/// <c>nestquant calibrate MODEL --data DATA -o RANGES.json</c>: the statistics of all activations, for later compilations.
/// </summary>
internal static class CalibrateCommand
{
    public static void Add(CommandLineApplication app, CliConsole console, CancellationToken cancellation) =>
        app.Command("calibrate", command =>
    {
        command.Description = "Sweep a model over data and store the statistics of its activations";
        command.ExtendedHelpText = """

            The file holds count, extremes and a histogram of every activation; "compile
            --calibrate RANGES.json" chooses ranges from them by any method. Parts of a data
            set can be swept on different machines and joined with "merge-ranges": the
            result is that of one sweep, bit for bit. DATA is a .npy or .npz file whose
            first axis counts the samples, a folder of .npy files, one for each input, a
            folder of ONNX test_data_set_* folders, or a folder of PNG or JPEG pictures; or
            --data NAME=FILE.npy for each input.

            Examples:
              nestquant calibrate model.onnx --data images.npy -o ranges.json
              nestquant compile model.onnx -o out/model.onnx --nest 8:6 --calibrate ranges.json --calibration entropy
            """;
        CommandArgument model = command.Argument("MODEL", "ONNX file that will be compiled").IsRequired();
        CommandOption data = command.Option(
            "--data <DATA>", "inputs of the model; repeatable as NAME=FILE", CommandOptionType.MultipleValue).IsRequired();
        CommandOption output = command.Option(
            "-o|--output <FILE>", "JSON file to write; its folder is created when missing", CommandOptionType.SingleValue).IsRequired();
        var pictures = new PictureOptions(command);
        CommandOption groupNL = command.Option(
            "--groupnl <KIND>", "fuse (default) or off, as the compilation will have it", CommandOptionType.SingleValue);
        CommandOption customOps = command.Option(
            "--custom-ops <LIB>",
            "library with operators that the model uses, as ONNX Runtime loads them; repeatable",
            CommandOptionType.MultipleValue);
        var links = new LinkOption(command);
        CommandOption threads = command.Option(
            "--threads <N>", "most threads to use; default: one per processor", CommandOptionType.SingleValue);
        command.OnExecute(() =>
        {
            GroupNLMode mode = groupNL.OneOf(GroupNLMode.Fuse);
            PictureArguments picture = pictures.Parse();
            int threadCount = threads.PositiveInteger() ?? Environment.ProcessorCount;
            string[] sources = [.. data.Values.Select(source => source!)];
            string[] libraries = [.. customOps.Values.Select(library => library!)];
            using var transaction = new FileTransaction();
            foreach (string input in (IEnumerable<string>)[model.Value!, .. sources.Select(InputArguments.PathOf), .. libraries])
                transaction.Reads.Add(input);
            RangesFile.Prepare(transaction, output.Value()!);

            ModelProto source = ModelFile.Load(model.Value!, links.Parse());
            transaction.Reads.AddData(source);
            transaction.Check(output.Value()!);
            FoldingMemory.Limit(source);
            Dataset dataset = picture.Open(sources, source);
            var calibration = new DataCalibration(dataset) { CustomOps = libraries };
            CalibrationStatistics statistics = ProgressDisplay.Run(console, progress =>
            {
                var context = new ModelContext(source) { Threads = threadCount, Progress = progress, Cancellation = cancellation };
                Prepare(context, mode);
                return calibration.Sweep(context, FileHash.Sha256(model.Value!));
            });
            SavedFile written = RangesFile.Write(statistics, transaction, output.Value()!);
            cancellation.ThrowIfCancellationRequested();
            transaction.Commit();
            string of = statistics.Samples < dataset.Count
                ? $" of {Numbers.Count(dataset.Count)}, in the batches that the model fixes"
                : "";
            console.Line($"{Numbers.Count(statistics.Values.Count)} activations swept on {Numbers.Count(statistics.Samples)} samples{of}");
            RangesFile.Report(console, written);
            return ExitCode.Done;
        });
    });

    // As a compilation does, so that the values of both have the same names.
    private static void Prepare(ModelContext context, GroupNLMode mode) =>
        NestQuantCompiler.CreatePipeline(new CompilerOptions { GroupNL = new GroupNLOptions { Mode = mode } })
            .InsertAfter<InitializerInputsPass>(new OperatorSetUpgradePass())
            .Run(context);
}
