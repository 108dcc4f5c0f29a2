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
        using Process process = ChildProcess.Start(how, Change, "compile", GoldenModel.Cnn, "-o", Path.Combine(_folder, "new", "cnn.onnx"), "--nest", "8:6");
        Assert.Equal(InterruptedRun.Reached, process.StandardOutput.ReadLine());
        Assert.NotEmpty(Directory.GetDirectories(Path.Combine(_folder, "new"), ".nestquant-*"));

        Process.Start("kill", [$"-{signal}", process.Id.ToString(CultureInfo.InvariantCulture)]).WaitForExit();
        process.WaitForExit();

        Assert.Equal(code, process.ExitCode);
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }
}
