using System.Globalization;

namespace NestQuant.Benchmarks.Switching;

/// <summary>Resident memory of this process as Linux accounts it, in bytes.</summary>
/// <param name="Anonymous">Heaps, stacks and arenas: what only ends with the process or is freed.</param>
/// <param name="Files">Pages of mapped files: programs and weights.</param>
internal readonly record struct ProcessMemory(long Anonymous, long Files)
{
    /// <summary>All of it.</summary>
    public long Total => Anonymous + Files;

    /// <summary>Reads it now.</summary>
    public static ProcessMemory Read()
    {
        Dictionary<string, long> fields = File.ReadLines("/proc/self/status")
            .Select(static line => line.Split(['\t', ' '], StringSplitOptions.RemoveEmptyEntries))
            .Where(static words => words is ["RssAnon:" or "RssFile:", _, "kB"])
            .ToDictionary(static words => words[0], static words => long.Parse(words[1], CultureInfo.InvariantCulture) * 1024);
        return new ProcessMemory(fields["RssAnon:"], fields["RssFile:"]);
    }
}
