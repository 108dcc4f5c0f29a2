using McMaster.Extensions.CommandLineUtils;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Text;

namespace NestQuant.Compiler.Cli.Commands;

/// <summary><c>nestquant diff A B</c>: how two models differ; exit code 1 when they do.</summary>
internal static class DiffCommand
{
    public static void Add(CommandLineApplication app, CliConsole console) => app.Command("diff", command =>
    {
        command.Description = "Show how two models differ in structure and weights";
        command.ExtendedHelpText = """

            Prints nothing and exits with 0 when the models are equal; exits with 1 when
            they differ.
            """;
        CommandArgument a = command.Argument("A", "ONNX file").IsRequired();
        CommandArgument b = command.Argument("B", "ONNX file").IsRequired();
        var links = new LinkOption(command);
        command.OnExecute(() =>
        {
            LoadOptions load = links.Parse();
            ModelDifference difference = ModelDiff.Compare(ModelFile.Load(a.Value!, load), ModelFile.Load(b.Value!, load));
            console.Out.Write(difference.ToString());
            return difference.IsEmpty ? ExitCode.Done : ExitCode.BadInput;
        });
    });
}
