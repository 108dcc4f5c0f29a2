using System.Diagnostics;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;

namespace NestQuant.Compiler.Cli.Tests;

/// <summary>Every bad input: exit code 1, one line that says what is wrong, and no file or folder left behind.</summary>
public sealed class BadInputTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public static TheoryData<string, string> BadFiles => new()
    {
        { "missing", "does not exist" },
        { "folder", "folder" },
        { "empty", "empty" },
        { "truncated", "truncated" },
        { "text", "not an ONNX model" },
        { "lfs", "git lfs pull" },
        { "opset", "9999" },
        { "nan", "NaN" },
        { "infinite", "finite" },
        { "zero-size", "no elements" },
        { "external-missing", "weights.bin" },
        { "external-short", "weights.bin" },
        { "external-outside", "outside" },
    };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(BadFiles))]
    public void A_bad_model_is_refused_and_leaves_nothing(string kind, string message)
    {
        string model = Make(kind);
        IReadOnlyList<string> before = _folder.Entries;

        ToolRun run = Tool.Run(
            "compile", model, "-o", _folder["new/folder/out.onnx"], "--nest", "8:6", "--report", _folder["reports/r.json"]);

        run.ShouldFail(1, message);
        Assert.Empty(run.Out);
        Assert.Equal(before, _folder.Entries);
    }

    [Theory]
    [InlineData("empty")]
    [InlineData("text")]
    [InlineData("lfs")]
    public void Every_command_refuses_it(string kind)
    {
        string model = Make(kind);
        string[][] commands =
        [
            ["print", model],
            ["diff", Golden.Cnn, model],
            ["inspect", model],
            ["run", model, "--input", Golden.Images, "-o", _folder["out"]],
            ["evaluate", model, "--data", Golden.Images],
            ["evaluate", Golden.Cnn, "--data", Golden.Images, "--reference", model],
        ];
        foreach (string[] command in commands)
            Tool.Run(command).ShouldFail(1, "bad.onnx");
    }

    [Fact]
    public void An_exclude_that_matches_nothing_is_an_error()
    {
        Tool.Run("compile", Golden.Cnn, "-o", _folder["out.onnx"], "--nest", "8:6", "--exclude", "nothing*")
            .ShouldFail(1, "'nothing*' matches no");
        Assert.Empty(_folder.Entries);
    }

    [Fact]
    public void A_failed_compilation_leaves_existing_outputs_as_they_were()
    {
        Tool.CompileCnn(_folder);
        Dictionary<string, byte[]> before = _folder.Entries.ToDictionary(entry => entry, entry => File.ReadAllBytes(_folder[entry]));
        using var other = new TestFolder();
        other.Write("bad.onnx", "not a model"u8);

        Tool.Run("compile", other["bad.onnx"], "-o", _folder["cnn.onnx"], "--nest", "8:6").ShouldFail(1, "bad.onnx");

        Assert.Equal(before, _folder.Entries.ToDictionary(entry => entry, entry => File.ReadAllBytes(_folder[entry])));
    }

    [Theory]
    [InlineData("taken/out.onnx", "Cannot write to folder")]
    [InlineData("taken.onnx", "is a folder")]
    [InlineData("out.txt", "must end in .onnx")]
    public void An_output_that_cannot_be_written_is_refused_before_work_begins(string output, string message)
    {
        _folder.Write("taken", "a file where a folder should be"u8);
        Directory.CreateDirectory(_folder["taken.onnx"]);
        IReadOnlyList<string> before = _folder.Entries;

        Tool.Run("compile", "no such source", "-o", _folder[output]).ShouldFail(1, message);
        Assert.Equal(before, _folder.Entries);
    }

    [SkippableFact]
    public void A_read_only_folder_is_refused()
    {
        // Permissions do not bind root; a read-only mount does.
        using Mount mount = Mount.Try(_folder, "size=64k,ro");
        Tool.Run("compile", Golden.Cnn, "-o", Path.Combine(mount.Path, "out.onnx"), "--nest", "8:6")
            .ShouldFail(1, "Cannot write to folder");
    }

    [SkippableTheory]
    [InlineData("4k")]
    [InlineData("28k")]
    [InlineData("40k")]
    public void A_full_disk_leaves_nothing(string size)
    {
        using Mount mount = Mount.Try(_folder, $"size={size}");
        ToolRun run = Tool.Run("compile", Golden.Cnn, "-o", Path.Combine(mount.Path, "sub", "out.onnx"), "--nest", "8:6");

        run.ShouldFail(1, "space");
        Assert.Empty(Directory.EnumerateFileSystemEntries(mount.Path));
    }

    private string Make(string kind)
    {
        string path = _folder["bad.onnx"];
        byte[] golden = File.ReadAllBytes(Golden.Cnn);
        switch (kind)
        {
            case "missing":
                return _folder["missing.onnx"];
            case "folder":
                Directory.CreateDirectory(path);
                return path;
            case "empty":
                return _folder.Write("bad.onnx", []);
            case "truncated":
                return _folder.Write("bad.onnx", golden.AsSpan(0, golden.Length / 2));
            case "text":
                return _folder.Write("bad.onnx", "<html><body>404</body></html>"u8);
            case "lfs":
                return _folder.Write("bad.onnx", "version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 96193\n"u8);
            default:
                ModelProto model = ModelFile.Load(golden);
                Spoil(model, kind);
                ModelFile.Save(model, path, new SaveOptions { ExternalData = ExternalDataMode.Never });
                return kind.StartsWith("external-", StringComparison.Ordinal) ? MakeExternal(kind, model) : path;
        }
    }

    private static void Spoil(ModelProto model, string kind)
    {
        TensorProto weight = Weight(model);
        switch (kind)
        {
            case "opset":
                model.OpsetImport[0].Version = 9999;
                break;
            case "nan" or "infinite":
                float[] values = weight.ToFloats();
                values[5] = kind == "nan" ? float.NaN : float.PositiveInfinity;
                weight.RawData = TensorProto.FromFloats(weight.Name, [.. weight.Dims], values).RawData;
                break;
            case "zero-size":
                weight.RawData = Array.Empty<byte>();
                weight.Dims[1] = 0;
                break;
        }
    }

    // Written by hand: the library itself refuses to write references that do not hold.
    private string MakeExternal(string kind, ModelProto model)
    {
        TensorProto weight = Weight(model);
        long length = weight.ByteCount;
        weight.RawData = null;
        weight.DataLocation = TensorDataLocation.External;
        string location = kind == "external-outside" ? "../weights.bin" : "weights.bin";
        weight.ExternalData.Add(new StringStringEntryProto("location", location));
        weight.ExternalData.Add(new StringStringEntryProto("length", $"{length}"));
        using (FileStream stream = File.Create(_folder["bad.onnx"]))
            ProtoBuf.Serializer.Serialize(stream, model);
        if (kind == "external-short")
            _folder.Write("weights.bin", new byte[length - 1]);
        return _folder["bad.onnx"];
    }

    private static TensorProto Weight(ModelProto model) => model.Graph!.Initializer.First(tensor => tensor.Dims.Count == 4);

    /// <summary>A small tmpfs inside a test folder; tests skip where one cannot be mounted.</summary>
    private sealed class Mount(string path) : IDisposable
    {
        public string Path { get; } = path;

        public static Mount Try(TestFolder folder, string options)
        {
            string path = Directory.CreateDirectory(folder["mount"]).FullName;
            Skip.IfNot(Execute("mount", "-t", "tmpfs", "-o", options, "tmpfs", path), "a tmpfs cannot be mounted here");
            return new Mount(path);
        }

        public void Dispose() => Execute("umount", Path);

        private static bool Execute(string program, params string[] args)
        {
            try
            {
                using Process process = Process.Start(
                    new ProcessStartInfo(program, args) { RedirectStandardError = true, UseShellExecute = false })!;
                process.WaitForExit();
                return process.ExitCode == 0;
            }
            catch (System.ComponentModel.Win32Exception)
            {
                return false;
            }
        }
    }
}
