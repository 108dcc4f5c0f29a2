using System.Diagnostics;
using System.Text.Json;

namespace NestQuant.Benchmarks.WholeModels;

/// <summary>The command-line tool in a process of its own, as a user runs it.</summary>
/// <param name="assembly">Path of nestquant.dll.</param>
internal sealed class CommandLineTool(string assembly)
{
    /// <summary>Runs a command.</summary>
    /// <returns>What it printed.</returns>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public string Run(params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("dotnet", [assembly, .. arguments]) { UseShellExecute = false, RedirectStandardOutput = true };
        using Process process = Process.Start(start) ?? throw new InvalidOperationException("dotnet did not start");
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException($"nestquant {string.Join(' ', start.ArgumentList.Skip(1))} failed");
    }

    /// <summary>Runs a command that prints JSON.</summary>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public JsonElement RunJson(params IEnumerable<string> arguments)
    {
        using JsonDocument document = JsonDocument.Parse(Run([.. arguments, "--json"]));
        return document.RootElement.Clone();
    }
}
