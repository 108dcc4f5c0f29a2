using McMaster.Extensions.CommandLineUtils;
using NestQuant.Compiler.Cli.Rendering;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Files.Transactions;
using NestQuant.Passes;
using NestQuant.Passes.Export;

namespace NestQuant.Compiler.Cli.Commands;

/// <summary><c>nestquant export COMPILED --bits N -o OUT</c>: a compiled model in standard operators, at one precision.</summary>
internal static class ExportCommand
{
    private const string Qdq = "qdq";

    public static void Add(CommandLineApplication app, CliConsole console, CancellationToken cancellation) =>
        app.Command("export", command =>
    {
        command.Description = "Write a compiled model in standard ONNX operators, at one of its precisions";
        command.ExtendedHelpText = """

            For runtimes that have no NestQuant operators. The result is in QDQ form:
            QuantizeLinear and DequantizeLinear around float operators, int8 weights with a
            scale per channel, channels first, and nothing but operators of ONNX itself.

            Example:
              nestquant export out/model.onnx --bits 6 -o out/model.int6.onnx
            """;
        CommandArgument model = command.Argument("MODEL", "ONNX file that 'nestquant compile --nest' wrote").IsRequired();
        CommandOption output = command.Option(
            "-o|--output <FILE>", "ONNX file to write; its folder is created when missing", CommandOptionType.SingleValue).IsRequired();
        CommandOption bits = command.Option(
            "--bits <BITS>", "the precision, one of those that the model has", CommandOptionType.SingleValue)
            .IsRequired();
        CommandOption format = command.Option("--format <FORMAT>", "qdq (default)", CommandOptionType.SingleValue);
        CommandOption customOps = command.Option(
            "--custom-ops <LIB>",
            "library with operators that the model uses, as ONNX Runtime loads them; repeatable",
            CommandOptionType.MultipleValue);
        CommandOption noCheck = ResultCheck.AddOption(command);
        var links = new LinkOption(command);
        command.OnExecute(() =>
        {
            int precision = bits.BitWidths() is [var only]
                ? only
                : throw new UsageException("--bits takes one bit width: a model is exported at one precision");
            if ((format.Text() ?? Qdq) != Qdq) throw new UsageException($"--format is '{format.Text()}': {Qdq} is possible");
            var check = new ResultCheck(
                new CheckOptions { LoadResult = !noCheck.HasValue(), CustomOps = [.. customOps.Values.Select(library => library!)] });
            Run(model.Value!, output.Value()!, precision, links.Parse(), check, console, cancellation);
            return ExitCode.Done;
        });
    });

    private static void Run(
        string model, string output, int bits, LoadOptions load, ResultCheck check, CliConsole console, CancellationToken cancellation)
    {
        using var transaction = new FileTransaction();
        transaction.Reads.Add(model);
        transaction.OpenFolder(Path.GetDirectoryName(Path.GetFullPath(output))!);
        ModelProto compiled = ModelFile.Load(model, load);
        transaction.Reads.AddData(compiled);
        transaction.Check(output);
        CompileResult result = ModelExport.ToQdq(compiled, new ExportOptions { Bits = bits });
        IReadOnlyList<SavedFile> files = ModelSaver.Write([new ModelToSave(result.Model, output)], transaction, cancellation);
        string? notChecked = check.Run([transaction.StagedPath(output)], model);
        cancellation.ThrowIfCancellationRequested();
        transaction.Commit();
        var notes = result.Decisions.Decisions.Where(decision => decision.Note is not null).GroupBy(decision => decision.Note);
        foreach (IGrouping<string?, Decision> same in notes)
            console.Line($"{same.First().Node}{(same.Count() > 1 ? $" and {Numbers.Count(same.Count() - 1)} more" : "")}: {same.Key}");
        console.Line($"{Numbers.Count(result.Decisions.Decisions.Count)} operators written as standard ones at {bits} bits");
        foreach (SavedFile file in files)
            console.Line($"wrote {file.Path} ({Numbers.Count(file.Bytes)} bytes)");
        if (notChecked is not null)
            console.Line($"{notChecked}");
    }
}
