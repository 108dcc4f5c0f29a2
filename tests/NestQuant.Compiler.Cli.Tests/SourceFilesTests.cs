using System.Diagnostics;
using System.Globalization;
using NestQuant.Data;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Files.Transactions;

namespace NestQuant.Compiler.Cli.Tests;

/// <summary>No command replaces what it reads, by whatever name, and none reads what is no file or changes meanwhile.</summary>
public sealed class SourceFilesTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose()
    {
        FileOperation.Before = null;
        _folder.Dispose();
    }

    [Theory]
    [InlineData("real/sub/m.onnx")]
    [InlineData("link/sub/m.onnx")]
    [InlineData("hard.onnx")]
    [InlineData("symbolic.onnx")]
    public void A_model_is_not_replaced_through_links(string output)
    {
        Tool.CompileCnn(_folder);
        foreach (string command in new[] { "compile", "export" })
        {
            string source = _folder.Write(
                "real/sub/m.onnx", command == "compile" ? File.ReadAllBytes(Golden.Cnn) : Inline(_folder["cnn.onnx"]));
            Link(source);
            string[] arguments = command == "compile" ? ["--nest", "8:6"] : ["--bits", "6"];
            byte[] before = File.ReadAllBytes(source);
            IReadOnlyList<string> entries = _folder.Entries;

            Tool.Run([command, _folder["link/sub/m.onnx"], "-o", _folder[output], .. arguments]).ShouldFail(1, "would replace");

            Assert.Equal(before, File.ReadAllBytes(source));
            Assert.Equal(entries, _folder.Entries);
            Directory.Delete(_folder["real"], recursive: true);
            foreach (string link in new[] { "link", "hard.onnx", "symbolic.onnx" })
                File.Delete(_folder[link]);
        }
    }

    [Theory]
    [InlineData("initializer", "out.high.bin")]
    [InlineData("constant", "out.high.bin")]
    [InlineData("sparse", "out.low.bin")]
    [InlineData("attribute", "out.part.onnx")]
    [InlineData("function", "out.high.bin")]
    [InlineData("training", "out.onnx")]
    [InlineData("function", "r.json")]
    public void External_data_is_not_replaced_wherever_the_model_refers_to_it(string place, string data)
    {
        string source = WithExternalData(place, data);
        byte[] before = File.ReadAllBytes(_folder[data]);

        Tool.Run("compile", source, "-o", _folder["out.onnx"], "--nest", "8:6", "--report", _folder["r.json"])
            .ShouldFail(1, "would replace");

        Assert.Equal(before, File.ReadAllBytes(_folder[data]));
        Assert.Equal([data, "source.onnx"], _folder.Entries.Order(StringComparer.Ordinal).Where(entry => entry != "unused"));
    }

    [Theory]
    [InlineData("out.low.6.bin")]
    [InlineData("out.part.6.onnx")]
    public void Files_of_more_levels_replace_nothing_either(string data)
    {
        string source = WithExternalData("initializer", data);
        byte[] before = File.ReadAllBytes(_folder[data]);
        Tool.Run("compile", source, "-o", _folder["out.onnx"], "--nest", "8:6:4").ShouldFail(1, "would replace");
        Assert.Equal(before, File.ReadAllBytes(_folder[data]));
    }

    [Fact]
    public void Data_and_ranges_are_not_replaced()
    {
        byte[] images = File.ReadAllBytes(Golden.Images);
        Directory.CreateDirectory(_folder["in"]);
        File.CreateSymbolicLink(_folder["linked"], _folder["in"]);
        _folder.Write("in/r.json", images);
        _folder.Write("in/data.npy", images);
        File.CreateSymbolicLink(_folder["in/alias.json"], _folder["in/data.npy"]);

        Tool.Run("calibrate", Golden.Cnn, "--data", _folder["in/data.npy"], "-o", _folder["linked/alias.json"])
            .ShouldFail(1, "would replace");
        Tool.Run("merge-ranges", _folder["in/r.json"], "-o", _folder["linked/r.json"]).ShouldFail(1, "would replace");
        Tool.Run(
            "compile",
            Golden.Cnn,
            "-o",
            _folder["o.onnx"],
            "--nest",
            "8:6",
            "--calibrate",
            _folder["in/data.npy"],
            "--report",
            _folder["in/alias.json"])
            .ShouldFail(1, "would replace");

        Assert.Equal(images, File.ReadAllBytes(_folder["in/data.npy"]));
        Assert.Equal(images, File.ReadAllBytes(_folder["in/r.json"]));
    }

    [Fact]
    public void An_input_is_not_replaced_by_an_output_of_its_name()
    {
        string name = ModelFile.Load(Golden.Cnn).Graph!.Output[0].Name!;
        NpyArray.FromFloats([1, 1, 8, 8], new float[64]).Write(_folder[$"{name}.npy"]);
        byte[] before = File.ReadAllBytes(_folder[$"{name}.npy"]);

        Tool.Run("run", Golden.Cnn, "--input", _folder[$"{name}.npy"], "-o", _folder.Root).ShouldFail(1, "would replace");
        Assert.Equal(before, File.ReadAllBytes(_folder[$"{name}.npy"]));
    }

    [Fact]
    public void A_data_set_behind_a_symbolic_link_has_the_length_of_its_file()
    {
        File.CreateSymbolicLink(_folder["x.npy"], Golden.Images);
        File.CreateSymbolicLink(_folder["l.npy"], Golden.Labels);
        File.CreateSymbolicLink(_folder["m.onnx"], Golden.Cnn);

        Tool.Run("evaluate", Golden.Cnn, "--data", _folder["x.npy"], "--labels", _folder["l.npy"]).ShouldSucceed();
        ToolRun inspection = Tool.Run("inspect", _folder["m.onnx"]).ShouldSucceed();
        Assert.Contains($"m.onnx ({new FileInfo(Golden.Cnn).Length:N0} bytes)", inspection.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Pipes_are_refused_by_every_command_and_not_waited_for()
    {
        Process.Start("mkfifo", [_folder["p.onnx"], _folder["p.npy"], _folder["p.json"]]).WaitForExit();
        string pipe = _folder["p.onnx"], data = _folder["p.npy"], ranges = _folder["p.json"];
        string[][] commands =
        [
            ["print", pipe], ["inspect", pipe], ["diff", Golden.Cnn, pipe], ["bench", pipe],
            ["compile", pipe, "-o", _folder["o.onnx"]],
            ["export", pipe, "--bits", "6", "-o", _folder["o.onnx"]],
            ["run", pipe, "--input", Golden.Images, "-o", _folder["o"]],
            ["run", Golden.Cnn, "--input", data, "-o", _folder["o"]],
            ["evaluate", pipe, "--data", Golden.Images],
            ["evaluate", Golden.Cnn, "--data", data],
            ["evaluate", Golden.Cnn, "--data", Golden.Images, "--labels", data],
            ["calibrate", Golden.Cnn, "--data", data, "-o", _folder["r.json"]],
            ["merge-ranges", ranges, "-o", _folder["r.json"]],
            ["compile", Golden.Cnn, "-o", _folder["o.onnx"], "--nest", "8:6", "--calibrate", ranges],
            ["compile", Golden.Cnn, "-o", _folder["o.onnx"], "--nest", "8:6", "--calibrate", Golden.Images, "--custom-ops", pipe],
            ["compile", Golden.Cnn, "-o", pipe],
        ];
        foreach (string[] command in commands)
            Tool.Run(command).ShouldFail(1, "not a regular file");
        Assert.Equal(["p.json", "p.npy", "p.onnx"], _folder.Entries);
    }

    [Theory]
    [InlineData("source.onnx")]
    [InlineData("source.onnx.data")]
    public void A_source_that_changes_while_it_is_compiled_is_an_error(string file)
    {
        ModelFile.Save(ModelFile.Load(Golden.Cnn), _folder["source.onnx"], new SaveOptions { ExternalData = ExternalDataMode.Always });
        bool isLoaded = false;
        FileOperation.Before = () =>
        {
            // The staging folder is complete before the source is loaded; what comes next is the first file of the result.
            if (isLoaded
                || !Directory.GetDirectories(_folder["out"], ".nestquant-*").Any(staging => Directory.Exists(Path.Combine(staging, "old"))))
                return;
            isLoaded = true;
            using FileStream stream = File.Open(_folder[file], FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            stream.SetLength(stream.Length - 1);
        };
        Directory.CreateDirectory(_folder["out"]);

        Tool.Run("compile", _folder["source.onnx"], "-o", _folder["out/m.onnx"], "--nest", "8:6")
            .ShouldFail(1, "changed while it was read");
        Assert.Empty(Directory.GetFileSystemEntries(_folder["out"]));
    }

    [Fact]
    public void Links_to_external_data_are_an_option_of_every_command_that_loads_models()
    {
        ModelFile.Save(ModelFile.Load(Golden.Cnn), _folder["m.onnx"], new SaveOptions { ExternalData = ExternalDataMode.Always });
        Process.Start("ln", [_folder["m.onnx.data"], _folder["second name"]]).WaitForExit();
        string model = _folder["m.onnx"], images = Golden.Images;
        string[][] commands =
        [
            ["print", model], ["inspect", model], ["diff", model, model], ["bench", model, "--runs", "1"],
            ["compile", model, "-o", _folder["o.onnx"]],
            ["evaluate", model, "--data", images],
            ["run", model, "--input", images, "-o", _folder["o"]],
            ["calibrate", model, "--data", images, "-o", _folder["r.json"]],
        ];
        foreach (string[] command in commands)
        {
            Tool.Run(command).ShouldFail(1, "has 2 hard links");
            Tool.Run([.. command, "--allow-links"]).ShouldSucceed();
        }

        Tool.Run("export", model, "--bits", "6", "-o", _folder["e.onnx"]).ShouldFail(1, "has 2 hard links");
        Tool.Run("export", model, "--bits", "6", "-o", _folder["e.onnx"], "--allow-links").ShouldFail(1, "nested");
    }

    private static byte[] Inline(string model) => ModelFile.ToBytes(ModelFile.Load(model));

    private void Link(string source)
    {
        Directory.CreateSymbolicLink(_folder["link"], _folder["real"]);
        File.CreateSymbolicLink(_folder["symbolic.onnx"], source);
        Process.Start("ln", [source, _folder["hard.onnx"]]).WaitForExit();
    }

    // Every place of a model that can hold a tensor; what is unused is read and kept all the same.
    private string WithExternalData(string place, string data)
    {
        ModelProto model = ModelFile.Load(File.ReadAllBytes(Golden.Cnn));
        TensorProto tensor = place == "initializer"
            ? model.Graph!.Initializer.First(initializer => initializer.Dims.Count == 4)
            : TensorProto.FromFloats("unused", [64], new float[64]);
        AttributeProto attribute = AttributeProto.Tensor(place == "attribute" ? "unknown" : "value", tensor);
        var constant = new NodeProto { OpType = "Constant", Output = { "unused" }, Attribute = { attribute } };
        switch (place)
        {
            case "constant" or "attribute":
                model.Graph!.Node.Insert(0, constant);
                break;
            case "sparse":
                TensorProto indices = TensorProto.FromInt64s("", [64], [.. Enumerable.Range(0, 64)]);
                model.Graph!.SparseInitializer.Add(new SparseTensorProto { Values = tensor, Indices = indices, Dims = { 64 } });
                break;
            case "function":
                model.Functions.Add(new FunctionProto { Name = "f", Domain = "local", Node = { constant } });
                break;
            case "training":
                model.TrainingInfo.Add(new TrainingInfoProto { Algorithm = new GraphProto { Name = "step", Initializer = { tensor } } });
                break;
        }

        long length = tensor.ByteCount;
        _folder.Write(data, tensor.GetBytes().Span);
        tensor.RawData = null;
        tensor.DataLocation = TensorDataLocation.External;
        tensor.ExternalData.Add(new StringStringEntryProto("location", data));
        tensor.ExternalData.Add(new StringStringEntryProto("length", length.ToString(CultureInfo.InvariantCulture)));
        using FileStream stream = File.Create(_folder["source.onnx"]);
        ProtoBuf.Serializer.Serialize(stream, model);
        return _folder["source.onnx"];
    }
}
