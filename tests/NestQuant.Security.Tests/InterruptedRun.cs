using System.Diagnostics;
using NestQuant.Compiler.Cli;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Onnx.Files.Transactions;

namespace NestQuant.Security.Tests;

/// <summary>The tool as a child process that does not get beyond one of its changes to the file system, counted from 1.</summary>
internal static class InterruptedRun
{
    /// <summary>What the child prints when it has come to the change.</summary>
    public const string Reached = "reached";

    /// <summary>Runs a command that is killed before a change, or never for 0; then prints the number of changes.</summary>
    public static int Kill(int operation, string[] command)
    {
        int count = 0;
        FileOperation.Before = () =>
        {
            if (Interlocked.Increment(ref count) == operation)
                Process.GetCurrentProcess().Kill();
        };
        int code = CliApplication.Run(command, new CliConsole(TextWriter.Null, Console.Error));
        Console.WriteLine(count);
        return code;
    }

    /// <summary>Runs a command that comes to a change and never gets beyond it, whatever signal comes.</summary>
    public static int Hang(int operation, string[] command) => Stop(operation, command, _ => Thread.Sleep(Timeout.Infinite));

    /// <summary>Runs a command that goes on after a change when a signal has come.</summary>
    public static int Wait(int operation, string[] command) => Stop(operation, command, token => token.WaitHandle.WaitOne());

    private static int Stop(int operation, string[] command, Action<CancellationToken> stop)
    {
        int count = 0;
        using var interruption = new Interruption();
        FileOperation.Before = () =>
        {
            if (Interlocked.Increment(ref count) != operation)
                return;
            Console.WriteLine(Reached);
            stop(interruption.Token);
        };
        return CliProcess.Run(command, interruption);
    }
}
