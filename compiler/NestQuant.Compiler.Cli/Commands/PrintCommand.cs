using McMaster.Extensions.CommandLineUtils;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Text;

namespace NestQuant.Compiler.Cli.Commands;

/// <summary><c>nestquant print MODEL</c>: the model in ONNX's textual syntax.</summary>
internal static class PrintCommand
{
    public static void Add(CommandLineApplication app, CliConsole console) => app.Command("print", command =>
    {
        command.Description = "Print a model as text";
        command.ExtendedHelpText = """

            The text is ONNX's own textual syntax, one node a line. Large weights are elided to type, shape and a hash, so that the
            text is short and changes when the weights do: what a snapshot test compares.
            """;
        CommandArgument model = command.Argument("MODEL", "ONNX file").IsRequired();
        var links = new LinkOption(command);
        command.OnExecute(() =>
        {
            console.Out.Write(ModelText.Print(ModelFile.Load(model.Value!, links.Parse())));
            return ExitCode.Done;
        });
    });
}
