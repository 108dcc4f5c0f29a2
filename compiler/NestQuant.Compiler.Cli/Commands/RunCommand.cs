using McMaster.Extensions.CommandLineUtils;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Data;
using NestQuant.Evaluation;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Files.Transactions;
using NestQuant.Passes.Nesting;

namespace NestQuant.Compiler.Cli.Commands;

/// <summary><c>nestquant run MODEL --input x.npy -o DIR</c>: one run, its outputs as <c>.npy</c> files.</summary>
internal static class RunCommand
{
    public static void Add(CommandLineApplication app, CliConsole console) => app.Command("run", command =>
    {
        command.Description = "Run a model once on .npy inputs";
        command.ExtendedHelpText = """

            Every output becomes DIR/<output>.npy. Integers are converted to the input's
            type where nothing is lost.

            Example:
              nestquant run model.onnx --input image.npy --bits 6 -o out
              nestquant run model.onnx --input ids=ids.npy --input mask=mask.npy -o out
              nestquant run model.onnx --input inputs.npz -o out
            """;
        CommandArgument model = command.Argument("MODEL", "ONNX file").IsRequired();
        CommandOption inputs = command.Option(
            "--input <FILE>",
            "[NAME=]FILE: a .npy file for an input, or a folder or .npz with one for each, by name; without names in the model's order; "
                + "repeatable",
            CommandOptionType.MultipleValue);
        CommandOption bits = command.Option("--bits <B>", "precision of a nested model; default: full", CommandOptionType.SingleValue);
        CommandOption output = command.Option(
            "-o|--output <DIR>", "folder for the outputs; created when missing", CommandOptionType.SingleValue).IsRequired();
        CommandOption threads = command.Option(
            "--threads <N>", "threads inside an operator; default: one per processor", CommandOptionType.SingleValue);
        var links = new LinkOption(command);
        command.OnExecute(() =>
        {
            string[] files = [.. inputs.Values.Select(input => input!)];
            Run(model.Value!, files, bits.PositiveInteger(), output.Value()!, threads.PositiveInteger(), links.Parse(), console);
            return ExitCode.Done;
        });
    });

    private static void Run(
        string model, IReadOnlyList<string> inputs, int? bits, string folder, int? threads, LoadOptions load, CliConsole console)
    {
        using var transaction = new FileTransaction();
        foreach (string path in inputs.Select(InputArguments.PathOf).Prepend(model))
            transaction.Reads.Add(path);
        transaction.OpenFolder(folder);
        ModelProto loaded = ModelFile.Load(model, load);
        transaction.Reads.AddData(loaded);
        using ModelSession session = ModelSession.Open(model, threads, NestedPrecisions.Of(loaded));
        IReadOnlyList<NamedArray> arrays = InputArguments.Read(inputs, session.Inputs);
        var names = new FileNames();
        var lines = new List<Action>();
        foreach (NamedArray result in session.Run(arrays, bits))
        {
            string path = Path.Combine(folder, names.Make(result.Name!) + ".npy");
            transaction.Write(path, result.Array.Write);
            lines.Add(() => console.Line(
                $"{result.Name}: {result.Array.Type.ToOnnx().TextName()} [{string.Join(", ", result.Array.Shape)}] -> {path}"));
        }

        transaction.Commit();
        lines.ForEach(line => line());
    }
}
