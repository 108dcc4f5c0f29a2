using System.Runtime.InteropServices;
using NestQuant.Compiler.Cli.Terminal;

namespace NestQuant.Compiler.Cli;

/// <summary>
/// Ctrl-C and SIGTERM. The first one cancels the command, which then cleans up; where a command does not come to its end within a
/// moment, the process ends all the same, and cleans up on its way. A second one ends it at once.
/// </summary>
internal sealed class Interruption : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _cancellation = new();
    private readonly ManualResetEventSlim _ended = new();
    private readonly PosixSignalRegistration[] _registrations;
    private int _code;

    /// <summary>Begins to listen.</summary>
    public Interruption() => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, context => End(context, ExitCode.Interrupted)),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => End(context, ExitCode.Terminated)),
    ];

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _cancellation.Token;

    /// <summary>To be called at the end of the command.</summary>
    /// <param name="code">The command's exit code.</param>
    /// <returns>The signal's exit code in its place when the command did not come to a good end.</returns>
    public int Ended(int code)
    {
        _ended.Set();
        return code == ExitCode.Done || _code == 0 ? code : _code;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
            registration.Dispose();
    }

    private void End(PosixSignalContext context, int code)
    {
        if (Interlocked.CompareExchange(ref _code, code, 0) != 0)
            return;
        context.Cancel = true;
        _cancellation.Cancel();
        if (!_ended.Wait(Patience))
            Environment.Exit(code);
    }
}
