using System.Diagnostics;
using System.Globalization;

namespace NestQuant.Security.Tests;

/// <summary>Ctrl-C and SIGTERM: exit codes as shells give them, and nothing left behind.</summary>
public sealed class SignalTests : IDisposable
{
    // Folders, lock, staging folders, then files: this one lies between two files of the staging folder.
    private const string Change = "12";

    private readonly string _folder = Directory.CreateTempSubdirectory("nestquant-signals-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [SkippableTheory]
    [InlineData("INT", 130, "wait-at")]
    [InlineData("TERM", 143, "wait-at")]
    [InlineData("INT", 130, "hang-at")]
    [InlineData("TERM", 143, "hang-at")]
    public void A_signal_ends_the_process_and_its_files(string signal, int code, string how)
    {
        Skip.If(OperatingSystem.IsWindows(), "signals are sent by kill");
        Skip.If(
            signal == "INT" && IsInterruptIgnored(),
            "SIGINT is ignored here, as in what a shell runs in the background, and children inherit that");
        using Process process = ChildProcess.Start(
            how, Change, "compile", GoldenModel.Cnn, "-o", Path.Combine(_folder, "new", "cnn.onnx"), "--nest", "8:6");
        Assert.Equal(InterruptedRun.Reached, process.StandardOutput.ReadLine());
        Assert.NotEmpty(Directory.GetDirectories(Path.Combine(_folder, "new"), ".nestquant-*"));

        Process.Start("kill", [$"-{signal}", process.Id.ToString(CultureInfo.InvariantCulture)]).WaitForExit();
        if (!process.WaitForExit(TimeSpan.FromMinutes(1)))
        {
            process.Kill();
            Assert.Fail($"the process does not end on SIG{signal}");
        }

        Assert.Equal(code, process.ExitCode);
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    private static bool IsInterruptIgnored()
    {
        const int Interrupt = 2;
        const string Status = "/proc/self/status", Ignored = "SigIgn:";
        if (!File.Exists(Status)) return false;
        string mask = File.ReadLines(Status).First(static line => line.StartsWith(Ignored, StringComparison.Ordinal))[Ignored.Length..];
        return (
            ulong.Parse(
                mask, NumberStyles.HexNumber | NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture) >> (Interrupt - 1) & 1) == 1;
    }
}
