using System.Diagnostics;
using System.Globalization;

namespace NestQuant.Benchmarks.CompileSpeed;

/// <summary>A command run as a whole process: wall time and peak resident memory.</summary>
/// <param name="Seconds">Wall time from start to exit.</param>
/// <param name="PeakBytes">Greatest resident set that the kernel accounted, sampled every few milliseconds; 0 where /proc is
/// missing.</param>
/// <param name="Output">What it printed.</param>
internal sealed record MeasuredProcess(double Seconds, long PeakBytes, string Output)
{
    /// <summary>Runs a command to its end.</summary>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public static MeasuredProcess Run(string file, params IEnumerable<string> arguments)
    {
        // What the last command left for the disk to write must not be waited for by this one.
        Process.Start("sync").WaitForExit();
        var start = new ProcessStartInfo(file, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        long begin = Stopwatch.GetTimestamp();
        using Process process = Process.Start(start) ?? throw new InvalidOperationException($"{file} did not start");
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        long peak = 0;
        do peak = Math.Max(peak, PeakResident(process.Id));
        while (!process.WaitForExit(TimeSpan.FromMilliseconds(3)));
        double seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{file} {string.Join(' ', start.ArgumentList)} failed: {errors.Result}");
        return new MeasuredProcess(seconds, peak, output.Result);
    }

    private static long PeakResident(int id)
    {
        try
        {
            string? line = File.ReadLines($"/proc/{id}/status")
                .FirstOrDefault(static line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null
                ? 0
                : long.Parse(
                    line[6..].Replace("kB", "", StringComparison.Ordinal),
                    NumberStyles.Integer | NumberStyles.AllowLeadingWhite,
                    CultureInfo.InvariantCulture) * 1024;
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
