using System.Diagnostics;
using System.Globalization;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Evaluation.Benchmarking;
using NestQuant.Onnx;

namespace NestQuant.Compiler.Cli.Commands;

/// <summary>
/// Measures a model's memory in a process that does nothing else: this tool again, with the command <see cref="Command"/>.
/// </summary>
internal static class MemoryProbe
{
    /// <summary>The hidden command that a probe's process runs.</summary>
    public const string Command = "bench-memory";

    /// <summary>Starts a probe and reads what it found.</summary>
    /// <exception cref="ModelException">The probe failed; the message is its own.</exception>
    public static ModelMemory Measure(string model, int? bits, BenchOptions options, CancellationToken cancellation)
    {
        using Process process = Process.Start(StartInfo(model, bits, options))
            ?? throw new InvalidOperationException("no process was started");
        using CancellationTokenRegistration kill = cancellation.Register(process.Kill);
        Task<string> error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        cancellation.ThrowIfCancellationRequested();
        if (process.ExitCode != ExitCode.Done)
            throw new ModelException($"{model}: the memory could not be measured: {error.GetAwaiter().GetResult().Trim()}");
        long[] bytes = [.. output.Split(' ').Select(text => long.Parse(text, CultureInfo.InvariantCulture))];
        return new ModelMemory(bytes[0], bytes[1]);
    }

    /// <summary>What the probe's process does: measures its own memory and prints it in bytes.</summary>
    public static void Run(string model, int? bits, BenchOptions options, TextWriter output)
    {
        var memory = ModelMemory.OfThisProcess(model, bits, options);
        output.Write(string.Create(CultureInfo.InvariantCulture, $"{memory.ResidentBytes} {memory.ModelBytes}"));
    }

    private static ProcessStartInfo StartInfo(string model, int? bits, BenchOptions options)
    {
        // Installed as a program the tool is its own process; otherwise dotnet hosts its assembly, and a test host something else.
        string assembly = typeof(MemoryProbe).Assembly.Location;
        string host = Environment.ProcessPath ?? "dotnet";
        bool isProgram = Path.GetFileNameWithoutExtension(host) == "nestquant";
        if (!isProgram && Path.GetFileNameWithoutExtension(host) != "dotnet")
            host = "dotnet";
        var start = new ProcessStartInfo(host) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        if (!isProgram)
            start.ArgumentList.Add(assembly);
        foreach (string argument in (IEnumerable<string>)[Command, model, .. Arguments(bits, options)])
            start.ArgumentList.Add(argument);
        return start;
    }

    private static IEnumerable<string> Arguments(int? bits, BenchOptions options)
    {
        if (bits is { } width)
            yield return string.Create(CultureInfo.InvariantCulture, $"--bits={width}");
        yield return string.Create(CultureInfo.InvariantCulture, $"--threads={options.Threads}");
        foreach (string input in options.Inputs)
            yield return $"--input={input}";
        foreach ((string key, string value) in options.SessionConfig)
            yield return $"--session-config={key}={value}";
    }
}
