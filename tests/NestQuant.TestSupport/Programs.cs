using System.Diagnostics;

namespace NestQuant.TestSupport;

/// <summary>Other programs, run to their end.</summary>
public static class Programs
{
    /// <summary>Whether a program is on the PATH.</summary>
    public static bool Has(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, name)));

    /// <summary>Runs a program in a folder, with these changes to the environment.</summary>
    public static ProgramResult Run(
        string folder, IReadOnlyDictionary<string, string> environment, string program, params IEnumerable<string> arguments)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        // The test host's own MSBuild settings must not leak into a nested build.
        foreach (string name in start.Environment.Keys.Where(k => k.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToList())
            start.Environment.Remove(name);
        // A node that stays alive would hold on to our pipes.
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new ProgramResult(process.ExitCode, output, error.Result);
    }

    /// <summary>Runs a program in the current folder and environment.</summary>
    public static ProgramResult Run(string program, params IEnumerable<string> arguments) =>
        Run(Environment.CurrentDirectory, new Dictionary<string, string>(), program, arguments);
}

/// <summary>What a program left.</summary>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Output">Its standard output.</param>
/// <param name="Error">Its standard error.</param>
public readonly record struct ProgramResult(int ExitCode, string Output, string Error)
{
    /// <summary>Fails the test unless the exit code is 0; skips it where the program found no package registry.</summary>
    public ProgramResult Succeeded()
    {
        // NU1301: a source cannot be reached. NU1101 and NU1102: it can, but does not have the package.
        Skip.If(ExitCode != 0 && (Output + Error).Contains("NU1301", StringComparison.Ordinal), "the package registry cannot be reached");
        Assert.True(ExitCode == 0, $"exit code {ExitCode}\n{Output}{Error}");
        return this;
    }
}
