namespace NestQuant.Compiler.Cli.Terminal;

/// <summary>Exit codes, as documented for scripts.</summary>
internal static class ExitCode
{
    /// <summary>Done; for <c>diff</c>: the models are equal; for <c>verify</c>: nothing is wrong.</summary>
    public const int Done = 0;

    /// <summary>Bad input; for <c>diff</c>: the models differ; for <c>verify</c>: something is wrong.</summary>
    public const int BadInput = 1;

    /// <summary>Wrong usage.</summary>
    public const int Usage = 2;

    /// <summary>A fault of the tool.</summary>
    public const int Internal = 3;

    /// <summary>Ended by Ctrl-C.</summary>
    public const int Interrupted = 130;

    /// <summary>Ended by SIGTERM.</summary>
    public const int Terminated = 143;
}
