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

    /// <summary>Stopped, since nothing was heard from it for too long.</summary>
    Hung,

    /// <summary>Stopped, since it took too much memory.</summary>
    TooLarge,
}

/// <summary>A process that reports by lines, and is stopped when it is silent for too long or takes too much memory.</summary>
/// <param name="silence">Longest time between two lines.</param>
/// <param name="memory">Most resident bytes.</param>
internal sealed class SupervisedProcess(TimeSpan silence, long memory)
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
            Task<string?> line = process.StandardOutput.ReadLineAsync();
            while (!line.Wait(s_poll))
            {
                if (Stopwatch.GetElapsedTime(heard) > silence) return ProcessEnd.Hung;
                process.Refresh();
                if (!process.HasExited && process.WorkingSet64 > memory) return ProcessEnd.TooLarge;
            }

            if (line.Result is not { } text) return ProcessEnd.Finished;
            onLine(text);
        }
    }
}
