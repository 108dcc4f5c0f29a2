using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Compiler.Cli;
using NestQuant.Compiler.Cli.Evaluation;
using NestQuant.Compiler.Onnx;
using NestQuant.Security.Tests.Fuzzing.Corpora;

namespace NestQuant.Security.Tests.Fuzzing;

/// <summary>Feeds one mutant to every command and to ONNX Runtime, and reports what must not be.</summary>
internal sealed class MutantRun
{
    private const long MiB = 1 << 20;

    private static readonly string[][] s_compilations =
    [
        ["--nest", "8:6", "--activations", "static"],
        ["--nest", "8:6"],
        [],
        ["--nest", "7:6", "--activations", "static", "--weights", "affine"],
        ["--nest", "8:6", "--activations", "none"],
        ["--nest", "8:6", "--calibrate", CorpusModel.InputName, "--report", "r.html"],
        ["--nest", "8:2", "--rounding", "floor", "--groupnl", "off", "--report", "r.json"],
        ["--groupnl", "expand:r=2,g=2"],
        ["--nest", "8:4", "--rounding", "nearest", "--groupnl", "expand:r=2,g=1,form=fused,function=gaussian"],
        ["--groupnl", "expand:r=2,g=2", "--calibrate", CorpusModel.InputName],
    ];

    private readonly Mutant _mutant;
    private readonly ChildReport _report;
    private readonly string _source, _out;
    private readonly long _memoryLimit;
    private bool _isInspectable;

    /// <param name="mutant">The mutant.</param>
    /// <param name="folder">Where to write it, in a subfolder, and what is made of it.</param>
    /// <param name="report">Where to tell of it.</param>
    public MutantRun(Mutant mutant, string folder, ChildReport report)
    {
        (_mutant, _report) = (mutant, report);
        (_source, _out) = (Path.Combine(folder, "source"), Path.Combine(folder, "out"));
        _memoryLimit = (256 * MiB) + (4 * mutant.Files.Values.Sum(static content => content.LongLength));
        Clear(_source);
        mutant.Write(_source);
    }

    private string Model => Path.Combine(_source, CorpusModel.ModelName);

    private string Output => Path.Combine(_out, "o.onnx");

    /// <summary>Runs every step.</summary>
    public void Execute()
    {
        Command("print", Model);
        _isInspectable = Command("inspect", Model) == 0;
        Command("inspect", Model, "--json");
        Command("diff", _mutant.Original.ModelPath, Model);
        string[] options = s_compilations[_mutant.Seed % (ulong)s_compilations.Length];
        if (Command("compile", [Model, "-o", Output, "--threads", "1", .. options.Select(Located)]) == 0) CheckOutput(_report.Last);
        if (!_mutant.Original.IsCompiled) return;
        string bits = _mutant.Seed % 2 == 0 ? "8" : "6";
        Command("inspect", Model, "--unpack", Path.Combine(_out, "unpacked"));
        if (Command("export", Model, "--bits", bits, "-o", Output) == 0) CheckOutput(_report.Last);
        Command("run", Model, "--input", _mutant.Original.InputPath, "--bits", bits, "--threads", "1", "-o", _out);
    }

    /// <summary>Whether ONNX Runtime accepts the mutant itself.</summary>
    public bool SourceLoads() => Refusal("source", Model, isOurs: false) is null;

    private static void Clear(string folder)
    {
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }

    private string Located(string option) => option switch
    {
        CorpusModel.InputName => _mutant.Original.InputPath,
        "r.html" or "r.json" => Path.Combine(_out, option),
        _ => option,
    };

    private int Command(string name, params string[] args) => Command(name, args, out _);

    private int Command(string name, string[] args, out string firstError)
    {
        bool keepsOutput = args[0] == Output;
        if (!keepsOutput) Clear(_out);
        // What ONNX Runtime's own operators do with a damaged graph is not ours.
        _report.Step(new FuzzStep(name, IsOurs: name != "run" || _mutant.OnlyOperators, $"nestquant {name} {string.Join(' ', args)}"));
        using ScreenWriter output = new(), error = new();
        var memory = PeakMemory.Start();
        int code = CliApplication.Run([name, .. args], new CliConsole(output, error));
        long growth = memory.Growth;
        _report.Exit(code, growth);

        // Behind the first line is the stack trace, which users do not get.
        firstError = error.ToString().Split('\n')[0];
        if (code is < 0 or > 2) _report.Failure($"exit {code}", FaultText.OfInternalError(error.ToString()));
        if (growth > _memoryLimit && name != "run") _report.Failure("memory", string.Create(CultureInfo.InvariantCulture, $"more than {_memoryLimit / MiB} MiB"));
        if (output.HasControlCharacters) _report.Failure("control characters", "on stdout");
        if (firstError.Any(char.IsControl)) _report.Failure("control characters", "on stderr");
        if (!keepsOutput && code != 0 && Directory.Exists(_out)) _report.Failure("leftovers", "a failed command wrote files");
        if (code == 0 && HasStaging()) _report.Failure("leftovers", "a staging folder");
        if (!IsSourceUnchanged()) _report.Failure("source changed", "a command wrote what it reads");
        return code;
    }

    /// <summary>Checks what the last command wrote.</summary>
    private void CheckOutput(FuzzStep writer)
    {
        if (Command("print", [Output], out string error) != 0 || (Command("inspect", [Output], out error) != 0 && _isInspectable))
            _report.Failure("unreadable output", FaultText.Of(error), writer);
        else if (Refusal(writer.Kind, Output, isOurs: true) is { } refusal && SourceLoads()) _report.Failure("output does not load", FaultText.Of(refusal), writer);
    }

    /// <summary>Why ONNX Runtime refuses a model; null when it does not.</summary>
    private string? Refusal(string kind, string path, bool isOurs)
    {
        _report.Step(new FuzzStep(FuzzStep.Load + kind, isOurs, $"a session of {path}"));
        var memory = PeakMemory.Start();
        try
        {
            using var session = ModelSession.Open(path, threads: 1, precisions: null);
            _report.Exit(0, memory.Growth);
            return null;
        }
        catch (Exception e) when (e is OnnxRuntimeException or ModelException)
        {
            _report.Exit(1, memory.Growth);
            return e.Message;
        }
    }

    private bool HasStaging() => Directory.Exists(_out) && Directory.EnumerateFileSystemEntries(_out, ".nestquant-*", SearchOption.AllDirectories).Any();

    private bool IsSourceUnchanged() =>
        Directory.GetFileSystemEntries(_source).Length == _mutant.Files.Count
        && _mutant.Files.All(file => File.ReadAllBytes(Path.Combine(_source, file.Key)).AsSpan().SequenceEqual(file.Value));
}
