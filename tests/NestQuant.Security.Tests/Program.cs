using System.Globalization;

namespace NestQuant.Security.Tests;

/// <summary>
/// The child process of tests. <c>FOLDER FILE SEED COUNT</c> mutates one file of a model again and again;
/// <c>kill-at</c>, <c>hang-at</c> and <c>wait-at N COMMAND...</c> run the tool up to its Nth change to the file system.
/// </summary>
internal static class Program
{
    private static int Main(string[] args) => args switch
    {
        ["kill-at", var operation, .. var command] => InterruptedRun.Kill(Number(operation), command),
        ["hang-at", var operation, .. var command] => InterruptedRun.Hang(Number(operation), command),
        ["wait-at", var operation, .. var command] => InterruptedRun.Wait(Number(operation), command),
        _ => MutationRun.Execute(args[0], args[1], Number(args[2]), Number(args[3])),
    };

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
