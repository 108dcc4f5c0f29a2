using McMaster.Extensions.CommandLineUtils;
using NestQuant.Compiler.Cli.Rendering;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Passes.Verification;

namespace NestQuant.Compiler.Cli.Commands;

/// <summary>
/// <c>nestquant verify MODEL</c>: whether a model and its data files are what one compilation wrote; exit code 1 when not.
/// </summary>
internal static class VerifyCommand
{
    public static void Add(CommandLineApplication app, CliConsole console) => app.Command("verify", command =>
    {
        command.Description = "Check that a model and its data files belong together and are as they were written";
        command.ExtendedHelpText = """

            Reads every data file. Prints one line for everything that is wrong and exits
            with 1: a file that is missing, has another length or other content, belongs to
            another compile, or holds a weight that is not the one of its tag. Lines that
            begin with "note" say what cannot be checked.
            """;
        CommandArgument model = command.Argument("MODEL", "ONNX file").IsRequired();
        CommandOption json = command.Option("--json", "print JSON", CommandOptionType.NoValue);
        var links = new LinkOption(command);
        command.OnExecute(() =>
        {
            ModelVerification verification = ModelVerification.Of(model.Value!, links.Parse());
            if (json.HasValue())
                console.Out.WriteLine(VerificationJson.Write(model.Value!, verification));
            else
                Print(model.Value!, verification, console);
            return verification.Problems.Count == 0 ? ExitCode.Done : ExitCode.BadInput;
        });
    });

    private static void Print(string model, ModelVerification verification, CliConsole console)
    {
        foreach (VerificationProblem problem in verification.Problems)
            console.Line($"{problem.File}: {problem.Problem}");
        foreach (string note in verification.Notes)
            console.Line($"note: {note}");
        if (verification.Problems.Count == 0)
            console.Line(
                $"{model}: nothing is wrong (nested weights: {verification.Weights}, listed data files: {verification.Files.Count})");
    }
}
