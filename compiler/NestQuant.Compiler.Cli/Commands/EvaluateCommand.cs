using McMaster.Extensions.CommandLineUtils;
using NestQuant.Compiler.Cli.Rendering;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Data;
using NestQuant.Data.Corruptions;
using NestQuant.Evaluation;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Passes.Sampling;

namespace NestQuant.Compiler.Cli.Commands;

/// <summary><c>nestquant evaluate MODEL --data DATA</c>: accuracy and fidelity at every precision.</summary>
internal static class EvaluateCommand
{
    private const int SeededRuns = 4;
    private const int SeededBatch = 8;

    public static void Add(CommandLineApplication app, CliConsole console, CancellationToken cancellation) =>
        app.Command("evaluate", command =>
    {
        command.Description = "Compare outputs with a reference and labels at one or more precisions";
        command.ExtendedHelpText = $$"""

            DATA is a .npy or .npz file whose first axis counts the samples, a folder of
            .npy files, one for each input, a folder of ONNX test_data_set_* folders, or a
            folder of PNG or JPEG pictures (classes as sub-folders, labelled in the order of
            their names); or --data NAME=FILE.npy for each input. Without DATA, {{SeededRuns}} batches of
            seeded values: token ids within their embedding, masks of ones.

            Every output, or each --output, is compared with the reference's: SQNR, the
            ratio of the reference to the difference in dB, the cosine between the two, and
            the largest difference. The reference is the --reference model, else the outputs
            in the test data, else the model itself at its highest precision. Positions
            where an input attention_mask is 0, or the --mask, do not count in outputs whose
            first extents are the mask's. Where the first output compared has classes, that
            is floats in the shape [samples, classes], agreement is the share of samples
            with the same largest value as the reference, and top-1 that with the largest
            value at the label.

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
              nestquant evaluate out/bert.onnx --data tokens.npz --reference bert.onnx --output last_hidden_state
            """;
        CommandArgument model = command.Argument("MODEL", "ONNX file").IsRequired();
        CommandOption data = command.Option(
            "--data <DATA>", "data set; repeatable as NAME=FILE; default: seeded values", CommandOptionType.MultipleValue);
        var shapes = new ShapeOption(command);
        CommandOption labels = command.Option(
            "--labels <LABELS>", "integer labels: .npy, or .txt with one a line", CommandOptionType.SingleValue);
        CommandOption reference = command.Option(
            "--reference <MODEL>", "model to compare with, usually the float source", CommandOptionType.SingleValue);
        CommandOption bits = command.Option(
            "--bits <LIST>", "precisions of a nested model, for example 8,6; default: all it has", CommandOptionType.SingleValue);
        CommandOption outputs = command.Option(
            "--output <NAME>", "output to compare, the one with classes first; repeatable; default: all", CommandOptionType.MultipleValue);
        CommandOption mask = command.Option(
            "--mask <NAME>",
            "input, or array of the data, that is 0 where positions of the outputs do not count; default: attention_mask, if there is one",
            CommandOptionType.SingleValue);
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
            string[] sources = [.. data.Values.Select(source => source!)];
            IReadOnlyDictionary<string, int> extents = shapes.Parse();
            if (sources.Length > 0 && shapes.Given)
                throw new UsageException("--shape says which values are made in the place of data: leave out --data");
            if (sources.Length == 0 && (labels.HasValue() || corrupt.HasValue()))
                throw new UsageException("--labels and --corrupt need data: give --data too");
            var run = new CorruptionRun(
                corrupt.Corruptions(), new CorruptionOptions { Mean = means ?? [0f], Deviation = deviations ?? [1f], Seed = seed.Seed() });
            using ModelSession session = ModelSession.Open(model.Value!, threadCount, links.Parse(), config.SessionConfig());
            using ModelSession? other = reference.Text() is { } path
                ? ModelSession.Open(path, threadCount, links.Parse(), config.SessionConfig())
                : null;
            Dataset dataset = sources.Length == 0
                ? SeededValues(ModelFile.Load(model.Value!, links.Parse()), extents, samples)
                : Dataset.Open(sources, new DatasetOptions
                {
                    Labels = labels.Text(),
                    Image = ModelPictures.For(session.Inputs, pixels, means, deviations),
                });
            EvaluationResult result = ProgressDisplay.Run(console, "samples", dataset.Count * run.Passes, progress => run.Evaluate(
                (samplesOf, done) =>
                    new Evaluator(session, other, widths)
                    {
                        Batch = samples,
                        Progress = done,
                        Outputs = outputs.HasValue() ? [.. outputs.Values.Select(output => output!)] : null,
                        Mask = mask.Text(),
                    }.Run(samplesOf, cancellation),
                dataset,
                progress));
            if (labels.HasValue() && result.ReferenceTop1 is null)
                throw new ModelException(
                    $"{labels.Value()}: output '{result.Precisions[0].Outputs[0].Name}' has no classes that labels could name: choose "
                        + "another with --output, or leave --labels out");
            if (json.HasValue())
                console.Out.WriteLine(EvaluationJson.Write(result));
            else
                EvaluationTable.Write(console, result);
            return ExitCode.Done;
        });
    });

    private static SyntheticValues SeededValues(ModelProto model, IReadOnlyDictionary<string, int> extents, int? batch) =>
        new(SyntheticInputs.Of(model, extents, batch ?? SeededBatch), SeededRuns);

    private static IEnumerable<string> CorruptionNames() =>
        CorruptionCatalog.All.Select(corruption => corruption.Name).Chunk(5).Select(names => string.Join(", ", names));
}
