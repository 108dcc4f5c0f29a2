using NestQuant.Security.Tests.Fuzzing;

namespace NestQuant.Security.Tests;

/// <summary>
/// The fuzz command, <c>dotnet run --project tests/NestQuant.Security.Tests -- fuzz --minutes 10</c>, and its child process.
/// </summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        if (args is [FuzzChild.Verb, ..]) return FuzzChild.Parse(args).Execute(Console.Out);
        if (args is not ["fuzz", ..] || FuzzOptions.Parse(args.AsSpan(1)) is not { } options)
        {
            Console.Error.WriteLine(FuzzOptions.Usage);
            return 2;
        }

        using var run = new FuzzRun(options);
        (FuzzSummary summary, string figures) = run.Execute();
        Console.Write(summary.Describe());
        Console.WriteLine(figures);
        return summary.Failures.Count == 0 ? 0 : 1;
    }
}
