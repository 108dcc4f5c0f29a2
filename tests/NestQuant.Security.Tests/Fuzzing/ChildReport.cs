using System.Globalization;

namespace NestQuant.Security.Tests.Fuzzing;

/// <summary>What the child process tells its parent, a line for each event, before anything can go wrong.</summary>
internal sealed class ChildReport(TextWriter writer)
{
    public const string MutantEvent = "mutant", StepEvent = "step", ExitEvent = "exit", FailureEvent = "failure";

    /// <summary>The last step.</summary>
    public FuzzStep Last { get; private set; } = FuzzStep.Mutate;

    /// <summary>Another mutant is about to be made.</summary>
    public void Mutant(ulong seed) => Write(MutantEvent, seed.ToString(CultureInfo.InvariantCulture));

    /// <summary>A step is about to begin.</summary>
    public void Step(FuzzStep step)
    {
        Last = step;
        Write(StepEvent, step.Kind, step.Answerable.ToString(), step.Command);
    }

    /// <summary>The step has ended.</summary>
    public void Exit(int code, long growth) =>
        Write(ExitEvent, code.ToString(CultureInfo.InvariantCulture), growth.ToString(CultureInfo.InvariantCulture));

    /// <summary>A step did what it must not do.</summary>
    /// <param name="kind">What went wrong.</param>
    /// <param name="detail">Where, in words that are the same for the same fault.</param>
    /// <param name="step">In which step; null for the last.</param>
    public void Failure(string kind, string detail, FuzzStep? step = null) =>
        Write(FailureEvent, kind, detail, (step ?? Last).Kind, (step ?? Last).Command);

    private void Write(params string[] fields)
    {
        writer.Write(string.Join('\t', fields.Select(static field => field.ReplaceLineEndings(" ").Replace('\t', ' '))) + '\n');
        writer.Flush();
    }
}
