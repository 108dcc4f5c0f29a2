using System.Globalization;

namespace NestQuant.RuntimeOps.Sessions.Policies;

/// <summary>Reads available memory from /proc/meminfo and from the process's control groups (cgroup v2).</summary>
/// <param name="root">Folder that holds proc and sys: <c>/</c>.</param>
internal sealed class MemoryReader(string root)
{
    private const string Unified = "0::";
    private const string Stalled = "some avg10=";

    /// <summary>The memory now; null where the system does not say.</summary>
    public MemoryReading? Read()
    {
        if (!TryFields("proc/meminfo", out Dictionary<string, long> system)
            || !system.TryGetValue("MemTotal:", out long total)
            || !system.TryGetValue("MemAvailable:", out long available)
            || total <= 0)
            return null;
        double least = (double)available / total;
        string[] groups = [.. Groups()];
        foreach (string group in groups)
            least = Math.Min(least, Available(group) ?? 1);
        return new MemoryReading(Math.Clamp(least, 0, 1), groups.Length == 0 ? 0 : Pressure(groups[0]));
    }

    /// <summary>The process's control group and those that hold it, from the inside out.</summary>
    private IEnumerable<string> Groups()
    {
        string line = Lines("proc/self/cgroup").FirstOrDefault(static line => line.StartsWith(Unified, StringComparison.Ordinal), "");
        if (line.Length == 0)
            yield break;
        string path = line[Unified.Length..].Trim('/');
        while (true)
        {
            yield return Path.Combine("sys/fs/cgroup", path);
            if (path.Length == 0)
                yield break;
            path = Path.GetDirectoryName(path) ?? "";
        }
    }

    /// <summary>Available share of a control group's limit, file pages that it can drop included; null without a limit.</summary>
    private double? Available(string group)
    {
        if (Number(Path.Combine(group, "memory.max")) is not (> 0 and var limit)
            || Number(Path.Combine(group, "memory.current")) is not { } used)
            return null;
        TryFields(Path.Combine(group, "memory.stat"), out Dictionary<string, long> details);
        return (double)(limit - used + details.GetValueOrDefault("inactive_file")) / limit;
    }

    private double Pressure(string group)
    {
        string line = Lines(Path.Combine(group, "memory.pressure"))
            .FirstOrDefault(static line => line.StartsWith(Stalled, StringComparison.Ordinal), "");
        string percent = line.Length == 0 ? "" : line[Stalled.Length..].Split(' ')[0];
        return double.TryParse(percent, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value / 100 : 0;
    }

    private long? Number(string file) =>
        long.TryParse(Lines(file).FirstOrDefault(), NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : null;

    /// <summary>Lines of a name, a number and perhaps a unit.</summary>
    private bool TryFields(string file, out Dictionary<string, long> fields)
    {
        fields = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (string line in Lines(file))
            if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var name, var text, ..]
                && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value))
                fields[name] = value;
        return fields.Count > 0;
    }

    private string[] Lines(string file)
    {
        try
        {
            return File.ReadAllLines(Path.Combine(root, file));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
