namespace NestQuant.Security.Tests.Fuzzing;

/// <summary>One thing that is done with a mutant.</summary>
/// <param name="Kind">A command of the tool, or a session.</param>
/// <param name="IsOurs">Whether the project answers for a death in it.</param>
/// <param name="Command">The command line that does it.</param>
internal sealed record FuzzStep(string Kind, bool IsOurs, string Command)
{
    /// <summary>What the kinds of steps begin with that only create a session.</summary>
    public const string Load = "load ";

    /// <summary>Making the mutant.</summary>
    public static FuzzStep Mutate { get; } = new("mutate", IsOurs: true, "");

    /// <summary>Whether the step only creates a session.</summary>
    public bool IsLoad => Kind.StartsWith(Load, StringComparison.Ordinal);
}
