using System.Globalization;
using System.Security.Cryptography;
using NestQuant.Compiler.Cli;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Onnx.Files;
using NestQuant.Passes.Verification;

namespace NestQuant.Security.Tests;

/// <summary>A command in a folder of its own, where it can be killed again and again.</summary>
internal sealed class KillScenario
{
    private const int Killed = 128 + 9;

    private readonly string _sources, _outputs;
    private readonly string[] _command;
    private readonly Dictionary<string, byte[]> _old = [];
    private readonly Dictionary<string, byte[]> _new;
    private readonly Dictionary<string, string> _sourceHashes;

    /// <summary>Prepares the sources, what the outputs replace, and what they shall be.</summary>
    public KillScenario(string folder, string command, bool replacing)
    {
        _sources = Path.Combine(folder, "source");
        _outputs = Path.Combine(folder, "out");
        string source = Path.Combine(_sources, "cnn.onnx"), output = Path.Combine(_outputs, "cnn.onnx");
        ModelFile.Save(ModelFile.Load(GoldenModel.Cnn), source, new SaveOptions { ExternalData = ExternalDataMode.Always });
        string compiled = Path.Combine(_sources, "compiled.onnx");
        Run(Compile(source, compiled, "8:6"));
        _command = command == "compile" ? Compile(source, output, "8:6") : ["export", compiled, "-o", output, "--bits", "6"];
        _sourceHashes = Hashes(_sources);
        if (replacing)
        {
            Run(Compile(source, output, "8:4"));
            _old = Contents();
            Restore();
        }

        (int code, string count, string error) = Child(0);
        Assert.True(code == 0, error);
        Operations = int.Parse(count, CultureInfo.InvariantCulture);
        _new = Contents();
    }

    /// <summary>Changes to the file system that the command makes.</summary>
    public int Operations { get; }

    /// <summary>Kills the command before one of its changes, then runs it once more.</summary>
    public void KillAt(int operation)
    {
        Restore();
        (int code, _, string error) = Child(operation);
        Assert.True(code == Killed, $"operation {operation}: exit code {code}: {error}");
        Assert.Equal(_sourceHashes, Hashes(_sources));
        Dictionary<string, byte[]> left = Contents();
        Assert.True(IsPartOf(left, _old) || IsPartOf(left, _new), $"operation {operation}: old and new files lie together");
        foreach (string model in left.Keys.Where(name => name.EndsWith(".onnx", StringComparison.Ordinal)))
            Assert.Empty(ModelVerification.Of(Path.Combine(_outputs, model)).Problems);

        Run(_command);
        Assert.Equal(_sourceHashes, Hashes(_sources));
        Assert.Equal(_new, Contents());
        Assert.Empty(Directory.GetFileSystemEntries(_outputs, ".*"));
    }

    private static bool IsPartOf(Dictionary<string, byte[]> files, Dictionary<string, byte[]> whole) =>
        files.All(file => whole.TryGetValue(file.Key, out byte[]? content) && content.AsSpan().SequenceEqual(file.Value));

    // One nested weight: the files are what counts.
    private static string[] Compile(string source, string output, string bits) =>
        [
            "compile", source, "-o", output, "--nest", bits, "--rounding", "nearest", "--exclude", "/conv?/*", "--report",
            Path.ChangeExtension(output, ".json")
        ];

    private (int Code, string Output, string Error) Child(int operation) =>
        ChildProcess.Run(["kill-at", operation.ToString(CultureInfo.InvariantCulture), .. _command]);

    private static void Run(params string[] command)
    {
        using var error = new StringWriter { NewLine = "\n" };
        Assert.True(CliApplication.Run(command, new CliConsole(TextWriter.Null, error)) == 0, error.ToString());
    }

    private void Restore()
    {
        if (Directory.Exists(_outputs))
            Directory.Delete(_outputs, recursive: true);
        foreach ((string name, byte[] content) in _old)
        {
            Directory.CreateDirectory(_outputs);
            File.WriteAllBytes(Path.Combine(_outputs, name), content);
        }
    }

    private Dictionary<string, byte[]> Contents() => Directory.Exists(_outputs)
        ? Directory.GetFiles(_outputs)
            .Where(path => !Path.GetFileName(path).StartsWith('.'))
            .ToDictionary(path => Path.GetFileName(path), File.ReadAllBytes)
        : [];

    private static Dictionary<string, string> Hashes(string folder) =>
        Directory.GetFiles(folder).ToDictionary(path => path, path => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))));
}
