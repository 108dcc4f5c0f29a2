using System.Globalization;

namespace NestQuant.Security.Tests.Fuzzing;

/// <summary>How much this process grows during a step, as Linux counts resident pages; 0 elsewhere.</summary>
internal sealed class PeakMemory
{
    private const string ResetPeak = "5";

    private readonly long _before;

    private PeakMemory(long before) => _before = before;

    /// <summary>Bytes by which the largest size since <see cref="Start"/> exceeds the size then.</summary>
    public long Growth => Math.Max(0, Status("VmHWM:") - _before);

    public static PeakMemory Start()
    {
        if (OperatingSystem.IsLinux()) File.WriteAllText("/proc/self/clear_refs", ResetPeak);
        return new PeakMemory(Status("VmRSS:"));
    }

    private static long Status(string field)
    {
        if (!OperatingSystem.IsLinux()) return 0;
        string line = File.ReadLines("/proc/self/status").First(text => text.StartsWith(field, StringComparison.Ordinal));
        return long.Parse(line[field.Length..^"kB".Length], CultureInfo.InvariantCulture) * 1024;
    }
}
