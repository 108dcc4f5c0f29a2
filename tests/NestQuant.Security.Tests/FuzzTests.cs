using System.Diagnostics;
using NestQuant.Security.Tests.Fuzzing;
using Xunit.Abstractions;

namespace NestQuant.Security.Tests;

public sealed class FuzzTests(ITestOutputHelper output)
{
    /// <summary>A minute of what <c>dotnet run --project tests/NestQuant.Security.Tests -- fuzz --minutes N</c> does for longer.</summary>
    [Fact]
    public void Damaged_models_are_refused_or_served()
    {
        string keep = Path.Combine(AppContext.BaseDirectory, "fuzz");
        using var run = new FuzzRun(new FuzzOptions(TimeSpan.FromMinutes(1), Seed: 1, Count: 0, keep));
        (FuzzSummary summary, string figures) = run.Execute();

        output.WriteLine(figures);
        Assert.True(summary.Failures.Count == 0, $"{figures}\n{summary.Describe()}");
        Assert.True(summary.Mutants > 0);
    }

    [Theory]
    [InlineData("kill -SEGV $$", nameof(ProcessEnd.Died))]
    [InlineData("exit 0", nameof(ProcessEnd.Finished))]
    [InlineData("exit 5", nameof(ProcessEnd.Died))]
    [InlineData("sleep 600", nameof(ProcessEnd.Hung))]
    [InlineData("while true; do true; done", nameof(ProcessEnd.Hung))]
    [InlineData("x=$(head -c 40000000 /dev/zero | tr '\\0' x); sleep 600", nameof(ProcessEnd.TooLarge))]
    public void How_a_child_ends_is_told_apart_with_its_last_step(string script, string expected)
    {
        var summary = new FuzzSummary();
        const string Report = @"printf 'mutant\t7\nstep\tcompile\tAlways\tnestquant compile\n'; ";
        var start = new ProcessStartInfo("/bin/sh") { ArgumentList = { "-c", Report + script } };
        TimeSpan silence = TimeSpan.FromSeconds(script.StartsWith("sleep", StringComparison.Ordinal) ? 0.5 : 600);

        ProcessEnd end = new SupervisedProcess(work: TimeSpan.FromSeconds(2), silence, memory: 30_000_000).Run(start, summary.Read).End;

        Assert.Equal(expected, end.ToString());
        Assert.Equal((7ul, "compile"), (summary.Seed, summary.Step.Kind));
    }

    [Fact]
    public void A_failure_is_counted_once_per_place()
    {
        var summary = new FuzzSummary();
        var text = new StringWriter();
        var report = new ChildReport(text);
        foreach (ulong seed in new ulong[] { 3, 4, 5 })
        {
            report.Mutant(seed);
            report.Step(new FuzzStep("print", Answerable.Always, "nestquant print m.onnx"));
            report.Exit(3, growth: 1 << 20);
            report.Failure("exit 3", seed == 5 ? "elsewhere" : "here");
        }

        foreach (string line in text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)) summary.Read(line);

        Assert.Equal([(3ul, "here"), (5ul, "elsewhere")], summary.Failures.Select(static failure => (failure.Seed, failure.Detail)));
        Assert.Contains("3 mutants", summary.Figures(TimeSpan.FromSeconds(1)), StringComparison.Ordinal);
        Assert.Contains("3 internal errors", summary.Figures(TimeSpan.FromSeconds(1)), StringComparison.Ordinal);
    }

    [Fact]
    public void The_topmost_frame_of_the_project_names_a_fault()
    {
        const string Error = """
            nestquant: internal error: NullReferenceException: Object reference (please report this)
            System.NullReferenceException: Object reference
               at System.Linq.Enumerable.First[T](IEnumerable`1 source)
               at NestQuant.Passes.Folding.Fold.Run(ModelProto model) in /src/passes/Fold.cs:line 45
               at NestQuant.Compiler.Cli.CliApplication.Run(String[] args) in /src/CliApplication.cs:line 30
            """;

        Assert.Equal("NullReferenceException at Passes.Folding.Fold.Run (Fold.cs:45)", FaultText.OfInternalError(Error));
        Assert.True(FaultText.IsInProject(Error));
        Assert.False(FaultText.IsInProject("   at Microsoft.ML.OnnxRuntime.InferenceSession.Init()\n" + Error));
    }
}
