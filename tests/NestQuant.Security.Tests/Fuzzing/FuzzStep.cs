namespace NestQuant.Security.Tests.Fuzzing;

/// <summary>
/// When the project answers for a death, a hang or a bomb in a step. Conditions are tried on the mutant itself, in a process of its own.
/// </summary>
internal enum Answerable
{
    /// <summary>Always.</summary>
    Always,

    /// <summary>Never: ONNX Runtime does it all.</summary>
    Never,

    /// <summary>When ONNX Runtime survives creating a session for the mutant.</summary>
    IfSourceLoads,

    /// <summary>When ONNX Runtime survives that without its optimizations, which would fold constants.</summary>
    IfSourceOpens,

    /// <summary>When ONNX Runtime survives a run of the mutant.</summary>
    IfSourceRuns,
}

/// <summary>One thing that is done with a mutant.</summary>
/// <param name="Kind">A command of the tool, or a session.</param>
/// <param name="Answerable">When the project answers for a death in it.</param>
/// <param name="Command">The command line that does it.</param>
internal sealed record FuzzStep(string Kind, Answerable Answerable, string Command)
{
    /// <summary>Whether the project's memory is what counts, and not what ONNX Runtime takes for the mutant's operators.</summary>
    public bool IsCommand => Answerable == Answerable.Always || Kind is "compile" or "export";

    /// <summary>Making the mutant.</summary>
    public static FuzzStep Mutate { get; } = new("mutate", Answerable.Always, "");
}
