using System.Diagnostics;
using System.Text;

namespace NestQuant.Security.Tests.Fuzzing;

/// <summary>How a supervised process ended.</summary>
internal enum ProcessEnd
{
    /// <summary>By itself, with exit code 0.</summary>
    Finished,

    /// <summary>By itself, with another exit code or by a signal.</summary>
    Died,

    /// <summary>Stopped, since it worked or waited for too long without a word.</summary>
    Hung,

    /// <summary>Stopped, since it took too much memory.</summary>
    TooLarge,
}

/// <summary>A process that reports by lines, and is stopped when it says nothing for too long or takes too much memory.</summary>
/// <param name="work">Most processor time between two lines, which a busy machine does not change.</param>
/// <param name="silence">Most time between two lines, for a process that waits.</param>
/// <param name="memory">Most resident bytes.</param>
internal sealed class SupervisedProcess(TimeSpan work, TimeSpan silence, long memory)
{
    private const int KeptError = 200_000;

    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(50);

    /// <summary>Runs it to its end.</summary>
    /// <param name="start">What to run; its outputs are redirected here.</param>
    /// <param name="onLine">Gets every line of its output.</param>
    /// <returns>How it ended, its exit code and what it wrote to stderr.</returns>
    public (ProcessEnd End, int Code, string Error) Run(ProcessStartInfo start, Action<string> onLine)
    {
        (start.RedirectStandardInput, start.RedirectStandardOutput, start.RedirectStandardError) = (true, true, true);
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        var error = new StringBuilder();
        process.ErrorDataReceived += (_, line) =>
        {
            if (error.Length < KeptError) error.Append(line.Data).Append('\n');
        };
        process.BeginErrorReadLine();
        ProcessEnd stopped = Follow(process, onLine);
        if (stopped != ProcessEnd.Finished) process.Kill(entireProcessTree: true);
        process.WaitForExit();
        ProcessEnd end = stopped == ProcessEnd.Finished && process.ExitCode != 0 ? ProcessEnd.Died : stopped;
        return (end, process.ExitCode, error.ToString());
    }

    private ProcessEnd Follow(Process process, Action<string> onLine)
    {
        while (true)
        {
            long heard = Stopwatch.GetTimestamp();
            TimeSpan? worked = null;
            Task<string?> line = process.StandardOutput.ReadLineAsync();
            while (!line.Wait(s_poll))
            {
                if (Sample(process) is not { } sample) continue;
                worked ??= sample.Worked;
                if (Stopwatch.GetElapsedTime(heard) > silence || sample.Worked - worked > work) return ProcessEnd.Hung;
                if (sample.Resident > memory) return ProcessEnd.TooLarge;
            }

            if (line.Result is not { } text) return ProcessEnd.Finished;
            onLine(text);
        }
    }

    /// <summary>What a process has used so far; null when it has ended.</summary>
    private static (TimeSpan Worked, long Resident)? Sample(Process process)
    {
        try
        {
            process.Refresh();
            return process.HasExited ? null : (process.TotalProcessorTime, process.WorkingSet64);
        }
        catch (InvalidOperationException)
        {
            // It ended between two of these lines.
            return null;
        }
    }
}
