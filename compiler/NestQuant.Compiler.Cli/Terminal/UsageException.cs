namespace NestQuant.Compiler.Cli.Terminal;

/// <summary>The command line itself is wrong: one line for the user, exit code 2.</summary>
internal sealed class UsageException(string message) : Exception(message);
