using McMaster.Extensions.CommandLineUtils;
using Spectre.Console;

namespace NestQuant.Compiler.Cli.Terminal;

/// <summary>Where a command writes: results to <see cref="Out"/>, progress and failures to <see cref="Error"/>.</summary>
internal sealed class CliConsole(TextWriter output, TextWriter error) : IConsole
{
    public event ConsoleCancelEventHandler? CancelKeyPress
    {
        add { }
        remove { }
    }

    public TextWriter Out { get; } = output;

    public TextWriter Error { get; } = error;

    public bool OutputIsTerminal { get; init; }

    public bool ErrorIsTerminal { get; init; }

    /// <summary>Columns of the terminal that <see cref="Out"/> is; a pipe or a file has no end of the line.</summary>
    public int Width { get; init; } = int.MaxValue;

    public TextReader In => TextReader.Null;

    public bool IsInputRedirected => true;

    public bool IsOutputRedirected => !OutputIsTerminal;

    public bool IsErrorRedirected => !ErrorIsTerminal;

    public ConsoleColor ForegroundColor { get; set; }

    public ConsoleColor BackgroundColor { get; set; }

    public void ResetColor()
    {
    }

    /// <summary>Writes a line in which texts, that may come from a model, are escaped and cut.</summary>
    public void Line(ConsoleLine line) => Out.WriteLine(line.ToString());

    /// <summary>Rich text on <see cref="Error"/>.</summary>
    public IAnsiConsole RichError() => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Out = new AnsiConsoleOutput(Error),
        Ansi = ErrorIsTerminal ? AnsiSupport.Detect : AnsiSupport.No,
        ColorSystem = ErrorIsTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
        Interactive = ErrorIsTerminal ? InteractionSupport.Detect : InteractionSupport.No,
    });
}
