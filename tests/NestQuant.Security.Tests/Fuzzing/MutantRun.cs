using Microsoft.ML.OnnxRuntime;
using NestQuant.Compiler.Cli;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Data;
using NestQuant.Evaluation;
using NestQuant.Onnx;
using NestQuant.Passes.Sessions;
using NestQuant.Security.Tests.Fuzzing.Corpora;

namespace NestQuant.Security.Tests.Fuzzing;

/// <summary>Feeds one mutant to every command and to ONNX Runtime, and reports what must not be.</summary>
internal sealed class MutantRun
{
    private static readonly string[][] s_compilations =
    [
        ["--nest", "8:6", "--activations", "static"],
        ["--nest", "8:6"],
        [],
        ["--nest", "7:6", "--activations", "static", "--weights", "affine"],
        ["--nest", "8:6", "--activations", "none"],
        ["--nest", "8:6", "--calibrate", CorpusModel.InputName, "--report", "r.html"],
        ["--nest", "8:5:2", "--calibrate", CorpusModel.InputName, "--rounding", "calibrated", "--weight-range", "calibrated"],
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
        _memoryLimit = (256 << 20) + (4 * mutant.Files.Values.Sum(static content => content.LongLength));
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
        Compile(s_compilations[_mutant.Seed % (ulong)s_compilations.Length]);
        if (!_mutant.Original.IsCompiled) return;
        string bits = _mutant.Seed % 2 == 0 ? "8" : "6";
        Command("inspect", Model, "--unpack", Path.Combine(_out, "unpacked"));
        if (Command(Answerable.IfSourceOpens, "export", [Model, "--bits", bits, "-o", Output], out _) == 0) CheckOutput(_report.Last);
        // What ONNX Runtime's own operators do with a damaged graph is not ours.
        Answerable run = _mutant.OnlyOperators ? Answerable.Always : Answerable.Never;
        Command(run, "run", [Model, "--input", _mutant.Original.InputPath, "--bits", bits, "--threads", "1", "-o", _out], out _);
    }

    /// <summary>Tries whether ONNX Runtime survives the mutant itself.</summary>
    public void Probe(Answerable condition) => Refusal(new FuzzStep("probe", Answerable.Never, $"a session of {Model}"), () =>
    {
        using SessionOptions options = ModelSession.CreateOptions();
        if (condition == Answerable.IfSourceOpens) options.GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL;
        using var session = new InferenceSession(Model, options);
        if (condition != Answerable.IfSourceRuns) return;
        using OrtValue input = NpyArray.Read(_mutant.Original.InputPath).ToOrtValue();
        using var run = new RunOptions();
        session.Run(run, [.. session.InputNames.Take(1)], [input], session.OutputNames).Dispose();
    });

    private void Compile(string[] options)
    {
        bool runsModel = options.Contains("static") || options.Contains("--calibrate");
        Answerable answerable = runsModel ? Answerable.IfSourceRuns : Answerable.IfSourceOpens;
        string[] args = [Model, "-o", Output, "--threads", "1", .. options.Select(Located)];
        if (Command(answerable, "compile", args, out _) == 0) CheckOutput(_report.Last);
    }

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

    private int Command(string name, params string[] args) => Command(Answerable.Always, name, args, out _);

    private int Command(Answerable answerable, string name, string[] args, out string firstError)
    {
        bool keepsOutput = args[0] == Output;
        if (!keepsOutput) Clear(_out);
        _report.Step(new FuzzStep(name, answerable, $"nestquant {name} {string.Join(' ', args)}"));
        using ScreenWriter output = new(), error = new();
        var memory = PeakMemory.Start();
        int code = CliApplication.Run([name, .. args], new CliConsole(output, error));
        long growth = memory.Growth;
        _report.Exit(code, growth);

        // Behind the first line is the stack trace, which users do not get.
        firstError = error.ToString().Split('\n')[0];
        if (code is < 0 or > 2) _report.Failure($"exit {code}", FaultText.OfInternalError(error.ToString()));
        if (growth > _memoryLimit && name != "run") _report.Failure("memory", "more than 256 MiB and 4 times the input");
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
        bool isReadable = Command(Answerable.Always, "print", [Output], out string error) == 0
            && (Command(Answerable.Always, "inspect", [Output], out error) == 0 || !_isInspectable);
        if (!isReadable) _report.Failure("unreadable output", FaultText.Of(error), writer);
        else if (Refusal($"load {writer.Kind}", Answerable.IfSourceLoads, Output) is { } refusal
            && Refusal("load source", Answerable.Never, Model) is null)
            _report.Failure("output does not load", FaultText.Of(refusal), writer);
    }

    /// <summary>Why ONNX Runtime refuses a model; null when it does not.</summary>
    private string? Refusal(string kind, Answerable answerable, string path) => Refusal(
        new FuzzStep(kind, answerable, $"a session of {path}"), () => ModelSession.Open(path, threads: 1, precisions: null).Dispose());

    private string? Refusal(FuzzStep step, Action action)
    {
        _report.Step(step);
        var memory = PeakMemory.Start();
        try
        {
            action();
            _report.Exit(0, memory.Growth);
            return null;
        }
        catch (Exception e) when (e is OnnxRuntimeException or ModelException)
        {
            _report.Exit(1, memory.Growth);
            return e.Message;
        }
    }

    private bool HasStaging() =>
        Directory.Exists(_out) && Directory.EnumerateFileSystemEntries(_out, ".nestquant-*", SearchOption.AllDirectories).Any();

    private bool IsSourceUnchanged() =>
        Directory.GetFileSystemEntries(_source).Length == _mutant.Files.Count
        && _mutant.Files.All(file => File.ReadAllBytes(Path.Combine(_source, file.Key)).AsSpan().SequenceEqual(file.Value));
}
