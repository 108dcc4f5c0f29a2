using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using McMaster.Extensions.CommandLineUtils;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Compiler.Cli.Commands;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Onnx;

namespace NestQuant.Compiler.Cli;

/// <summary>The <c>nestquant</c> tool: parses, runs one command, and turns every failure into one line and an exit code.</summary>
internal static class CliApplication
{
    private const string DebugVariable = "NESTQUANT_DEBUG";

    /// <summary>Version of the tool, for example <c>0.1.0</c>.</summary>
    public static string Version { get; } =
        typeof(CliApplication).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>Runs one command line.</summary>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static int Run(string[] args, CliConsole console, CancellationToken cancellation = default)
    {
        try
        {
            // Help and version only appear when the command line is right: the parser also writes hints before it throws.
            using var help = new StringWriter();
            int code = Create(console, new CliConsole(help, help), cancellation).Execute(args);
            console.Out.Write(help);
            return code;
        }
        catch (UnrecognizedCommandParsingException e)
        {
            string hint = e.NearestMatches.FirstOrDefault() is { } match ? $"; did you mean '{match}'?" : "";
            return Fail(console, ExitCode.Usage, e.Message + hint, e);
        }
        catch (Exception e) when (e is CommandParsingException or UsageException)
        {
            return Fail(console, ExitCode.Usage, e.Message, e);
        }
        catch (Exception e) when (e is ModelException or OnnxRuntimeException or IOException or UnauthorizedAccessException)
        {
            return Fail(console, ExitCode.BadInput, e.Message, e);
        }
        catch (OperationCanceledException e)
        {
            return Fail(console, ExitCode.BadInput, "cancelled", e);
        }
        catch (Exception e)
        {
            return Fail(
                console,
                ExitCode.Internal,
                $"internal error: {e.GetType().Name}: {e.Message} (please report this; {DebugVariable}=1 shows where it happened)",
                e);
        }
    }

    private static CommandLineApplication Create(CliConsole console, CliConsole help, CancellationToken cancellation)
    {
        var app = new CommandLineApplication(help, Directory.GetCurrentDirectory(), throwOnUnexpectedArg: true)
        {
            MakeSuggestionsInErrorMessage = false,
            Name = "nestquant",
            FullName = "nestquant",
            Description = "Compiles ONNX models to nested, two-precision integer weights",
            ExtendedHelpText = """

                Examples:
                  nestquant compile model.onnx -o out/model.onnx --nest 8:6
                  nestquant evaluate out/model.onnx --data images.npy --labels labels.npy --bits 8,6

                Exit codes: 0 done, 1 bad input (for diff: the models differ; for verify:
                something is wrong), 2 wrong usage, 3 internal error, 130 ended by Ctrl-C, 143
                by SIGTERM.
                """,
        };
        app.HelpOption("-h|--help", inherited: true);
        app.VersionOption("-v|--version", Version);
        CompileCommand.Add(app, console, cancellation);
        CalibrateCommand.Add(app, console, cancellation);
        MergeRangesCommand.Add(app, console);
        InspectCommand.Add(app, console);
        VerifyCommand.Add(app, console);
        SplitCommand.Add(app, console, cancellation);
        JoinCommand.Add(app, console, cancellation);
        PrintCommand.Add(app, console);
        DiffCommand.Add(app, console);
        RunCommand.Add(app, console);
        EvaluateCommand.Add(app, console, cancellation);
        BenchCommand.Add(app, console, cancellation);
        ExportCommand.Add(app, console, cancellation);
        app.OnExecute(new Func<int>(() => throw new UsageException(
            $"a command is needed: {string.Join(", ", CommandNames(app))}; see nestquant --help")));
        foreach (CommandLineApplication command in app.Commands)
            command.OnValidationError(
                new Action<ValidationResult>(result => throw new UsageException($"{command.Name}: {result.ErrorMessage}")));
        return app;
    }

    private static IEnumerable<string?> CommandNames(CommandLineApplication app) =>
        app.Commands.Where(command => command.ShowInHelpText).Select(command => command.Name);

    private static int Fail(CliConsole console, int code, string message, Exception exception)
    {
        string line = string.Join(' ', message.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            .TrimEnd('.');
        console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"nestquant: {DisplayText.OfMessage(line)}"));
        if (Environment.GetEnvironmentVariable(DebugVariable) == "1")
            console.Error.WriteLine(exception);
        return code;
    }
}
