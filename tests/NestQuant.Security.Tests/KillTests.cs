using System.Globalization;
using Xunit.Abstractions;

namespace NestQuant.Security.Tests;

/// <summary>
/// A process that is killed before any one of its changes to the file system: sources are as they were, every model that is there
/// has the data of its own compilation, and the next run leaves nothing of the killed one.
/// </summary>
public sealed class KillTests(ITestOutputHelper log) : IDisposable
{
    private const int Workers = 2;

    private readonly string _folder = Directory.CreateTempSubdirectory("nestquant-kills-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [SkippableTheory]
    [InlineData("compile", false)]
    [InlineData("compile", true)]
    [InlineData("export", false)]
    [InlineData("export", true)]
    public void No_kill_tears_what_is_written(string command, bool replacing)
    {
        Skip.If(OperatingSystem.IsWindows(), "a killed process is told by SIGKILL's exit code");
        int tried = 0;
        Parallel.For(0, Workers, new ParallelOptions { MaxDegreeOfParallelism = Workers }, worker =>
        {
            var scenario = new KillScenario(Path.Combine(_folder, worker.ToString(CultureInfo.InvariantCulture)), command, replacing);
            for (int operation = worker + 1; operation <= scenario.Operations; operation += Workers)
            {
                scenario.KillAt(operation);
                Interlocked.Increment(ref tried);
            }
        });

        log.WriteLine($"{tried} kills, none undetected");
        Assert.NotEqual(0, tried);
    }
}
