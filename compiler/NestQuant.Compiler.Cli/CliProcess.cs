using System.Text;
using NestQuant.Compiler.Cli.Terminal;

namespace NestQuant.Compiler.Cli;

/// <summary>The tool as a process: its console and the signals that end it.</summary>
internal static class CliProcess
{
    private const int DefaultWidth = 80;

    /// <summary>Runs one command line.</summary>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static int Run(string[] args, Interruption interruption)
    {
        Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        var console = new CliConsole(Console.Out, Console.Error)
        {
            OutputIsTerminal = !Console.IsOutputRedirected,
            Width = Console.IsOutputRedirected ? int.MaxValue : TerminalWidth(),
            ErrorIsTerminal = !Console.IsErrorRedirected,
        };
        return interruption.Ended(CliApplication.Run(args, console, interruption.Token));
    }

    // A terminal that does not tell its width has none.
    private static int TerminalWidth() => Console.WindowWidth is > 0 and int width ? width : DefaultWidth;
}
