using System.Security.Cryptography;
using System.Text.Json;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;

namespace NestQuant.Compiler.Cli.Tests;

/// <summary>Files that do not belong together: <c>verify</c> names them, and no other command takes them for a model.</summary>
public sealed class VerifyTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Model => _folder["cnn.onnx"];

    private string Part => _folder["cnn.part.onnx"];

    [Fact]
    public void A_model_is_in_order_as_it_was_written_and_where_it_is_moved_to()
    {
        Tool.CompileCnn(_folder);
        Assert.Equal($"{Model}: nothing is wrong (nested weights: 5, listed data files: 2)\n", Verify(Model, 0));
        Assert.Equal($"{Part}: nothing is wrong (nested weights: 5, listed data files: 1)\n", Verify(Part, 0));

        Directory.CreateDirectory(_folder["moved"]);
        foreach (string file in _folder.Entries.Where(entry => entry.StartsWith("cnn", StringComparison.Ordinal)))
            File.Move(_folder[file], _folder["moved/" + file]);
        File.Move(_folder["moved/cnn.onnx"], _folder["moved/other.onnx"]);
        Verify(_folder["moved/other.onnx"], 0);
        Verify(Golden.Cnn, 0);
    }

    [Fact]
    public void The_listed_hashes_are_those_of_the_files()
    {
        Tool.CompileCnn(_folder);
        JsonElement files = JsonDocument.Parse(Tool.Run("inspect", Model, "--json").ShouldSucceed().Out).RootElement.GetProperty("files");
        Assert.Equal(
            ["cnn.onnx", "cnn.high.bin", "cnn.low.bin"],
            files.EnumerateArray().Select(file => Path.GetFileName(file.GetProperty("path").GetString())));
        foreach (JsonElement file in files.EnumerateArray().Skip(1))
        {
            byte[] content = File.ReadAllBytes(file.GetProperty("path").GetString()!);
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(content)), file.GetProperty("sha256").GetString());
        }
    }

    /// <summary>The low file has the right length; without tags the model would run, and its results would be garbage.</summary>
    [Fact]
    public void A_low_file_of_another_compile_is_refused_everywhere_but_in_the_part_model()
    {
        TakeFromOtherCompile("cnn.low.bin");

        string line = Verify(Model, 1);
        Assert.StartsWith($"{_folder["cnn.low.bin"]}: 5 of 5 operands in it are not those of the model: '", line, StringComparison.Ordinal);
        Assert.Contains("_low' of NestedConv '/conv1/Conv' belongs to another compilation: its tag is ", line, StringComparison.Ordinal);
        Verify(Part, 0);

        Run(Part).ShouldSucceed();
        Run(Model).ShouldFail(1, "NestedConv node '/conv1/Conv': input 'W_low' belongs to another compilation");
        Run(Model, "--bits", "6").ShouldFail(1, "'W_low' belongs to another compilation");
        Tool.Run("inspect", Model).ShouldFail(1, "in 'cnn.low.bin' belongs to another compilation");
        Tool.Run("export", Model, "--bits", "8", "-o", _folder["qdq.onnx"])
            .ShouldFail(1, "in 'cnn.low.bin' belongs to another compilation");
    }

    [Fact]
    public void A_high_file_of_another_compile_is_refused_everywhere()
    {
        TakeFromOtherCompile("cnn.high.bin");
        foreach (string model in (string[])[Model, Part])
        {
            Assert.StartsWith(
                $"{_folder["cnn.high.bin"]}: 5 of 5 operands in it are not those of the model", Verify(model, 1), StringComparison.Ordinal);
            Run(model).ShouldFail(1, "'W_high' belongs to another compilation");
        }
    }

    [Theory]
    [InlineData("cnn.high.bin", "cnn.low.bin")]
    [InlineData("cnn.onnx")]
    public void Both_data_files_of_another_compile_are_refused(params string[] files)
    {
        TakeFromOtherCompile(files);
        Assert.Equal(2, Verify(Model, 1).TrimEnd('\n').Split('\n').Length);
        Run(Model).ShouldFail(1, "belongs to another compilation");
    }

    /// <summary>Tags are compared when a session is made, contents are not: that takes the hashes.</summary>
    [Fact]
    public void A_half_replaced_file_is_found_by_its_content()
    {
        Tool.CompileCnn(_folder);
        Spoil("cnn.low.bin", 4096);
        Run(Model).ShouldSucceed();

        string[] lines = Verify(Model, 1).TrimEnd('\n').Split('\n');
        Assert.Equal(2, lines.Length);
        Assert.StartsWith(
            $"{_folder["cnn.low.bin"]}: has other content than when the model was saved: SHA-256 ", lines[0], StringComparison.Ordinal);
        Assert.StartsWith($"{Model}: NestedConv '/conv3/Conv': operands '", lines[1], StringComparison.Ordinal);
        Verify(Part, 0);
    }

    [Fact]
    public void Files_that_are_missing_or_have_another_length_are_named()
    {
        Tool.CompileCnn(_folder);
        using (FileStream high = File.OpenWrite(_folder["cnn.high.bin"]))
            high.SetLength(high.Length - 1);
        File.Delete(_folder["cnn.low.bin"]);
        Assert.Equal(
            $"{_folder["cnn.high.bin"]}: has 17999 bytes, and had 18000 when the model was saved\n{_folder["cnn.low.bin"]}: is missing\n",
            Verify(Model, 1));

        Tool.CompileCnn(_folder);
        File.AppendAllText(_folder["cnn.low.bin"], "x");
        Assert.StartsWith($"{_folder["cnn.low.bin"]}: has ", Verify(Model, 1), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_the_list_of_files_the_tags_still_tell()
    {
        Tool.CompileCnn(_folder);
        Rewrite(model => model.MetadataProps.RemoveAll(entry => entry.Key == DataFileList.Key));
        Assert.StartsWith("note: the model does not list its data files", Verify(Model, 0), StringComparison.Ordinal);

        Spoil("cnn.high.bin", 100);
        string[] lines = Verify(Model, 1).TrimEnd('\n').Split('\n');
        Assert.StartsWith($"{Model}: NestedConv '/conv1/Conv': operands '", lines[0], StringComparison.Ordinal);
        Assert.EndsWith(
            "do not hold the weight that their tag names: one is damaged or half replaced", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("note: ", lines[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "is damaged")]
    [InlineData("[]", "is damaged")]
    [InlineData("{\"cnn.low.bin\":1}", "is damaged")]
    [InlineData("{\"cnn.low.bin\":{\"bytes\":1.5,\"sha256\":\"\"}}", "is damaged")]
    [InlineData("{\"cnn.low.bin\":{\"bytes\":1,\"sha256\":\"00\"}}", "a hash is not 64 hexadecimal digits")]
    public void A_damaged_list_is_an_error(string list, string message)
    {
        Tool.CompileCnn(_folder);
        Rewrite(model => model.MetadataProps.Find(entry => entry.Key == DataFileList.Key)!.Value = list);
        Tool.Run("verify", Model).ShouldFail(1, message);
    }

    /// <summary>The list comes from the model, which may name anything: only files that tensors lie in are opened.</summary>
    [Fact]
    public void Files_that_are_listed_and_not_used_are_named_and_not_read()
    {
        Tool.CompileCnn(_folder);
        string hash = new('0', 64);
        Rewrite(
            model =>
                model.MetadataProps.Find(
                    entry => entry.Key == DataFileList.Key)!.Value = $$$"""{"/dev/zero":{"bytes":1,"sha256":"{{{hash}}}"}}""");
        string[] lines = Verify(Model, 1).TrimEnd('\n').Split('\n');
        Assert.Equal("/dev/zero: the model was saved with it, but does not refer to it", lines[0]);
        Assert.Equal($"{_folder["cnn.high.bin"]}: is not among the files that the model was saved with", lines[1]);
    }

    [Fact]
    public void The_json_form_is_stable()
    {
        TakeFromOtherCompile("cnn.low.bin");
        File.Delete(_folder["cnn.high.bin"]);
        ToolRun run = Tool.Run("verify", Model, "--json");
        Assert.Equal((1, ""), (run.Code, run.Error));
        Snapshooter.Xunit.Snapshot.Match(run.OutWithout(_folder));
    }

    [Theory]
    [InlineData("verify", "MODEL")]
    [InlineData("verify a.onnx b.onnx", "b.onnx")]
    public void Wrong_usage_is_told(string arguments, string text) => Tool.Run(arguments.Split(' ')).ShouldFail(2, text);

    private static string Verify(string model, int code)
    {
        ToolRun run = Tool.Run("verify", model);
        Assert.Equal((code, ""), (run.Code, run.Error));
        return run.Out;
    }

    private ToolRun Run(string model, params string[] more) =>
        Tool.Run(["run", model, "--input", Golden.Images, "-o", _folder["run"], .. more]);

    /// <summary>Compiles the golden CNN, and takes some of its files from a compilation with other options.</summary>
    private void TakeFromOtherCompile(params string[] files)
    {
        using var other = new TestFolder();
        Tool.CompileCnn(_folder);
        Tool.CompileCnn(other, "--rounding", "floor");
        foreach (string file in files)
        {
            if (file.EndsWith(".bin", StringComparison.Ordinal))
                Assert.Equal(new FileInfo(_folder[file]).Length, new FileInfo(other[file]).Length);
            File.Copy(other[file], _folder[file], overwrite: true);
        }
    }

    private void Spoil(string file, int offset)
    {
        byte[] content = File.ReadAllBytes(_folder[file]);
        content[offset] ^= 1;
        File.WriteAllBytes(_folder[file], content);
    }

    /// <summary>Changes the ONNX file and nothing else.</summary>
    private void Rewrite(Action<ModelProto> change)
    {
        ModelProto model = ModelFile.Load(File.ReadAllBytes(Model));
        change(model);
        using FileStream stream = File.Create(Model);
        ProtoBuf.Serializer.Serialize(stream, model);
    }
}
