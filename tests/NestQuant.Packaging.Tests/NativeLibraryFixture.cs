using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;

namespace NestQuant.Packaging.Tests;

/// <summary>Publishes the native operator library, once per test run.</summary>
public sealed class NativeLibraryFixture
{
    private readonly Lazy<string> _library = new(Publish);

    /// <summary>Path of the published library; skips the test where there is no tool chain for it.</summary>
    public string Library
    {
        get
        {
            Skip.IfNot(OperatingSystem.IsLinux(), "the native library is tested on Linux");
            Skip.IfNot(HasTool("clang") || HasTool("gcc"), "publishing the native library needs clang or gcc, and neither is installed");
            return _library.Value;
        }
    }

    /// <summary>A path that the build wrote down.</summary>
    public static string Metadata(string key) =>
        typeof(NativeLibraryFixture).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(a => a.Key == key).Value!;

    /// <summary>Whether a program is on the PATH.</summary>
    public static bool HasTool(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, name)));

    /// <summary>Runs a program to its end.</summary>
    public static (int ExitCode, string Output, string Error) Run(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        // The test host's own MSBuild settings must not leak into a nested build.
        foreach (string name in start.Environment.Keys.Where(k => k.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToList())
            start.Environment.Remove(name);
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }

    private static string Publish()
    {
        string runtime = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "linux-arm64" : "linux-x64";
        string folder = Path.Combine(Metadata("NativeArtifacts"), "out");
        (int exitCode, string output, string error) = Run(
            "dotnet", "publish", Metadata("NativeProject"), "-c", "Release", "-r", runtime, "--artifacts-path", Metadata("NativeArtifacts"), "-o", folder);
        Assert.True(exitCode == 0, output + error);
        return Path.Combine(folder, "libnestquant_ops.so");
    }
}
