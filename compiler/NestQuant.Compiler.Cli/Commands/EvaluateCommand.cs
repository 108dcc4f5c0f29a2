using McMaster.Extensions.CommandLineUtils;
using NestQuant.Compiler.Cli.Rendering;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Data;
using NestQuant.Data.Corruptions;
using NestQuant.Evaluation;

namespace NestQuant.Compiler.Cli.Commands;

/// <summary><c>nestquant evaluate MODEL --data DATA</c>: accuracy and fidelity at every precision.</summary>
internal static class EvaluateCommand
{
    public static void Add(CommandLineApplication app, CliConsole console, CancellationToken cancellation) =>
        app.Command("evaluate", command =>
    {
        command.Description = "Measure top-1 accuracy, agreement and SQNR at one or more precisions";
        command.ExtendedHelpText = $$"""

            DATA is a .npy or .npz file whose first axis counts the samples, a folder of
            ONNX test_data_set_* folders, or a folder of PNG or JPEG pictures (classes as
            sub-folders, labelled in the order of their names). Top-1 is the share of
            samples whose largest value of the first output is at the label. Agreement is
            the share with the same top-1 class as the reference, and SQNR the ratio of the
            reference's first output to the difference in dB. The reference is the
            --reference model, else the outputs in the test data, else the model itself at
            its highest precision.

            --corrupt NAME,NAME,...[:SEVERITIES] measures robustness as well: every figure
            again with the pictures corrupted, at severities 1 to 5 unless told otherwise.
            The reference then sees the same corrupted pictures. "all" stands for every
            corruption:
              {{string.Join("\n  ", CorruptionNames())}}
            For data that is stored normalised, --mean and --std say how: a stored value is
            (pixel - mean) / std with the pixel in [0, 1].

            Examples:
              nestquant evaluate out/model.onnx --data images.npy --labels labels.npy --reference model.onnx --bits 8,6
              nestquant evaluate out/model.onnx --data images.npy --labels labels.npy --corrupt gaussian_noise,contrast:1-5
            """;
        CommandArgument model = command.Argument("MODEL", "ONNX file").IsRequired();
        CommandOption data = command.Option("--data <DATA>", "data set", CommandOptionType.SingleValue).IsRequired();
        CommandOption labels = command.Option(
            "--labels <LABELS>", "integer labels: .npy, or .txt with one a line", CommandOptionType.SingleValue);
        CommandOption reference = command.Option(
            "--reference <MODEL>", "model to compare with, usually the float source", CommandOptionType.SingleValue);
        CommandOption bits = command.Option(
            "--bits <LIST>", "precisions of a nested model, for example 8,6; default: all it has", CommandOptionType.SingleValue);
        CommandOption batch = command.Option(
            "--batch <N>", "samples per run, default 32; a model that fixes its batch decides itself", CommandOptionType.SingleValue);
        CommandOption size = command.Option(
            "--size <PIXELS>",
            "pictures: N or HxW: scale to this many pixels; default: what the model takes",
            CommandOptionType.SingleValue);
        CommandOption mean = command.Option(
            "--mean <LIST>",
            "pictures and --corrupt: subtracted from values in [0, 1], one number or one per channel; default 0",
            CommandOptionType.SingleValue);
        CommandOption std = command.Option(
            "--std <LIST>",
            "pictures and --corrupt: divides the difference, one number or one per channel; default 1",
            CommandOptionType.SingleValue);
        CommandOption corrupt = command.Option(
            "--corrupt <SPEC>",
            "corruptions of the pictures, for example gaussian_noise,contrast:1-5 or all",
            CommandOptionType.SingleValue);
        CommandOption seed = command.Option("--seed <N>", "seed of the corruptions; default 0", CommandOptionType.SingleValue);
        CommandOption threads = command.Option(
            "--threads <N>", "threads inside an operator; default: one per processor", CommandOptionType.SingleValue);
        CommandOption config = command.Option(
            "--session-config <ENTRY>",
            "KEY=VALUE for the configuration of both models' sessions; repeatable",
            CommandOptionType.MultipleValue);
        var links = new LinkOption(command);
        CommandOption json = command.Option("--json", "print JSON", CommandOptionType.NoValue);
        command.OnExecute(() =>
        {
            (int Height, int Width)? pixels = PictureArguments.ParseSize(size.Text());
            (IReadOnlyList<float>? means, IReadOnlyList<float>? deviations) = (mean.Numbers(), std.Numbers());
            (IReadOnlyList<int>? widths, int? samples, int? threadCount) = (
                bits.BitWidths(), batch.PositiveInteger(), threads.PositiveInteger());
            var run = new CorruptionRun(
                corrupt.Corruptions(), new CorruptionOptions { Mean = means ?? [0f], Deviation = deviations ?? [1f], Seed = seed.Seed() });
            using ModelSession session = ModelSession.Open(model.Value!, threadCount, links.Parse(), config.SessionConfig());
            using ModelSession? other = reference.Text() is { } path
                ? ModelSession.Open(path, threadCount, links.Parse(), config.SessionConfig())
                : null;
            Dataset dataset = Dataset.Open(data.Value()!, new DatasetOptions
            {
                Labels = labels.Text(),
                Image = ModelPictures.For(session.Inputs, pixels, means, deviations),
            });
            EvaluationResult result = ProgressDisplay.Run(console, "samples", dataset.Count * run.Passes, progress => run.Evaluate(
                (samplesOf, done) =>
                    new Evaluator(session, other, widths) { Batch = samples, Progress = done }.Run(samplesOf, cancellation),
                dataset,
                progress));
            if (json.HasValue())
                console.Out.WriteLine(EvaluationJson.Write(result));
            else
                EvaluationTable.Write(console, result);
            return ExitCode.Done;
        });
    });

    private static IEnumerable<string> CorruptionNames() =>
        CorruptionCatalog.All.Select(corruption => corruption.Name).Chunk(5).Select(names => string.Join(", ", names));
}
