using System.Diagnostics;
using NestQuant.Compiler.Cli.Terminal;

namespace NestQuant.Compiler.Cli.Tests;

/// <summary>One run of the tool.</summary>
internal sealed record ToolRun(int Code, string Out, string Error)
{
    /// <summary>The text without a folder's path, so that a snapshot does not depend on it.</summary>
    public string OutWithout(TestFolder folder) => Out.Replace(folder.Root, "FOLDER", StringComparison.Ordinal);

    /// <summary>Checks that the run failed with one line on stderr that holds a text, and without a stack trace.</summary>
    public void ShouldFail(int code, string text)
    {
        Assert.True(Code == code, $"exit code {Code}, expected {code}; stderr: {Error}");
        Assert.Contains(text, Error, StringComparison.OrdinalIgnoreCase);
        Assert.StartsWith("nestquant: ", Error, StringComparison.Ordinal);
        Assert.Single(Error.TrimEnd('\n').Split('\n'));
        Assert.DoesNotContain("   at ", Error, StringComparison.Ordinal);
    }

    /// <summary>Checks that the run succeeded.</summary>
    public ToolRun ShouldSucceed()
    {
        Assert.True(Code == 0, $"exit code {Code}; stderr: {Error}");
        return this;
    }
}

/// <summary>Runs the tool in this process, or as its own.</summary>
internal static class Tool
{
    public static ToolRun Run(params string[] args) => RunAt(int.MaxValue, args);

    /// <summary>Runs the tool in a terminal of some columns.</summary>
    public static ToolRun RunAt(int width, params string[] args)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        int code = CliApplication.Run(args, new CliConsole(output, error) { Width = width });
        return new ToolRun(code, output.ToString(), error.ToString());
    }

    public static ToolRun RunProcess(params string[] args) => RunProcess([], args);

    /// <summary>Runs the tool as a process of its own, with some environment variables.</summary>
    public static ToolRun RunProcess(IEnumerable<(string Name, string Value)> environment, params string[] args)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "nestquant.dll"));
        foreach (string arg in args)
            start.ArgumentList.Add(arg);
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new ToolRun(process.ExitCode, output, error.GetAwaiter().GetResult());
    }

    /// <summary>Compiles the golden CNN at 8:6 into a folder.</summary>
    public static string CompileCnn(TestFolder folder, params string[] more)
    {
        Run(["compile", Golden.Cnn, "-o", folder["cnn.onnx"], "--nest", "8:6", .. more]).ShouldSucceed();
        return folder["cnn.onnx"];
    }
}
