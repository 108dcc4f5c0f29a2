using McMaster.Extensions.CommandLineUtils;
using NestQuant.Compiler.Cli.Rendering;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Evaluation.Benchmarking;

namespace NestQuant.Compiler.Cli.Commands;

/// <summary><c>nestquant bench MODEL [--against OTHER]</c>: latency, session time, memory and the cost of a switch, side by side.</summary>
internal static class BenchCommand
{
    private const int DefaultRuns = 50;

    public static void Add(CommandLineApplication app, CliConsole console, CancellationToken cancellation)
    {
        app.Command("bench", command =>
        {
            command.Description = "Measure latency, memory and the time of a precision switch, side by side with other models";
            command.ExtendedHelpText = """

                All models run in one process and take turns, a run of each in every round, on
                the same inputs. A nested model is measured at each of its precisions, with a
                session for each. Session time is the median of three sessions. Memory is that
                of a process that only runs the model: as a whole, and by how much the model
                made it grow. A switch is what the first run after it takes beyond an ordinary
                run at that precision. Inputs are seeded random values unless --input gives
                them: token ids stay within their embedding, masks are ones. Axes that the model
                leaves open are 1 (the first, see --batch), 224 in images, else 128, or what
                --shape says.

                --nodes adds a table of MODEL's nodes at its first precision, as ONNX Runtime
                profiles them, with the implementation that NESTQUANT_IMPLEMENTATION can force.

                Example:
                  nestquant bench out/model.onnx --against model.onnx --against model.qdq.onnx --threads 1
                  nestquant bench out/model.onnx --session-config nestquant.cache=1m
                  nestquant bench out/bert.onnx --against bert.onnx --shape sequence=64
                """;
            CommandArgument model = command.Argument("MODEL", "ONNX file").IsRequired();
            CommandOption against = command.Option(
                "--against <MODEL>", "ONNX file with the same inputs to compare with; repeatable", CommandOptionType.MultipleValue);
            CommandOption bits = command.Option(
                "--bits <LIST>", "precisions of MODEL to measure, for example 8,6; default: all it has", CommandOptionType.SingleValue);
            CommandOption runs = command.Option(
                "--runs <N>", $"counted runs of each, default {DefaultRuns}", CommandOptionType.SingleValue);
            CommandOption batch = command.Option(
                "--batch <N>", "extent of a first axis that the model leaves open, default 1", CommandOptionType.SingleValue);
            var shapes = new ShapeOption(command);
            Func<BenchOptions> options = SharedOptions(command);
            CommandOption nodes = command.Option(
                "--nodes", "also list MODEL's nodes, their implementations and times", CommandOptionType.NoValue);
            var links = new LinkOption(command);
            CommandOption json = command.Option("--json", "print JSON", CommandOptionType.NoValue);
            command.OnExecute(() =>
            {
                BenchOptions asked = options() with
                {
                    Runs = runs.PositiveInteger() ?? DefaultRuns,
                    Batch = batch.PositiveInteger() ?? 1,
                    Extents = shapes.Parse(),
                    Load = links.Parse(),
                    Nodes = nodes.HasValue(),
                };
                IReadOnlyList<Bench.Subject> subjects = Bench.Subjects(
                    model.Value!, [.. against.Values.Select(path => path!)], bits.BitWidths(), asked.Load);
                BenchResult result = ProgressDisplay.Run(
                    console, "runs", Bench.TotalRuns(subjects.Count, asked), progress =>
                        new Bench(
                            asked,
                            (subject, stored) =>
                                MemoryProbe.Measure(
                                    subject.Model, subject.Bits, stored, cancellation))
                        { Progress = progress }.Run(subjects, cancellation));
                if (json.HasValue())
                    console.Out.WriteLine(BenchJson.Write(result));
                else
                    BenchTable.Write(console, result);
                return ExitCode.Done;
            });
        });
        app.Command(MemoryProbe.Command, command =>
        {
            command.ShowInHelpText = false;
            CommandArgument model = command.Argument("MODEL", "ONNX file").IsRequired();
            CommandOption bits = command.Option("--bits <B>", "precision", CommandOptionType.SingleValue);
            Func<BenchOptions> options = SharedOptions(command);
            command.OnExecute(() =>
            {
                MemoryProbe.Run(model.Value!, bits.PositiveInteger(), options(), console.Out);
                return ExitCode.Done;
            });
        });
    }

    private static Func<BenchOptions> SharedOptions(CommandLineApplication command)
    {
        CommandOption threads = command.Option(
            "--threads <N>", "threads inside an operator; default: one per processor", CommandOptionType.SingleValue);
        CommandOption inputs = command.Option(
            "--input <FILE>",
            "[NAME=]FILE: a .npy file for an input, or a folder or .npz with one for each, by name; repeatable; default: seeded values",
            CommandOptionType.MultipleValue);
        CommandOption config = command.Option(
            "--session-config <ENTRY>", "KEY=VALUE for the configuration of every session; repeatable", CommandOptionType.MultipleValue);
        return () => new BenchOptions(
            threads.PositiveInteger() ?? Environment.ProcessorCount,
            Runs: 1,
            Batch: 1,
            [.. inputs.Values.Select(input => input!)],
            config.SessionConfig());
    }
}
