using System.Globalization;
using NestQuant.Security.Tests.Fuzzing;

namespace NestQuant.Security.Tests;

/// <summary>
/// The fuzz command, <c>dotnet run --project tests/NestQuant.Security.Tests -- fuzz --minutes 10</c>, and the child processes of tests:
/// <c>kill-at</c>, <c>hang-at</c> and <c>wait-at N COMMAND...</c> run the tool up to its Nth change to the file system.
/// </summary>
internal static class Program
{
    private static int Main(string[] args) => args switch
    {
        ["kill-at", var operation, .. var command] => InterruptedRun.Kill(Number(operation), command),
        ["hang-at", var operation, .. var command] => InterruptedRun.Hang(Number(operation), command),
        ["wait-at", var operation, .. var command] => InterruptedRun.Wait(Number(operation), command),
        [FuzzChild.Verb, ..] => FuzzChild.Parse(args).Execute(Console.Out),
        ["fuzz", .. var options] => Fuzz(FuzzOptions.Parse(options)),
        _ => Fuzz(null),
    };

    private static int Fuzz(FuzzOptions? options)
    {
        if (options is null)
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

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
