using System.Globalization;
using NestQuant.Compiler.Cli;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;

namespace NestQuant.Security.Tests;

public sealed class HostileModelTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nestquant-security-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("../secret.bin")]
    [InlineData("sub/../../secret.bin")]
    [InlineData("/etc/passwd")]
    [InlineData("link.bin")]
    [InlineData("")]
    public void External_data_outside_of_the_models_folder_is_never_read(string location)
    {
        string inner = Directory.CreateDirectory(Path.Combine(_folder, "inner")).FullName;
        File.WriteAllBytes(Path.Combine(_folder, "secret.bin"), new byte[1 << 16]);
        File.CreateSymbolicLink(Path.Combine(inner, "link.bin"), Path.Combine(_folder, "secret.bin"));
        string model = WithLocation(Path.Combine(inner, "m.onnx"), location);

        (int code, string error) = Run("compile", model, "-o", Path.Combine(_folder, "out.onnx"));

        Assert.Equal(1, code);
        Assert.Single(error.TrimEnd('\n').Split('\n'));
        Assert.False(File.Exists(Path.Combine(_folder, "out.onnx")));
    }

    [Fact]
    public void Names_of_nodes_cannot_place_unpacked_files_elsewhere()
    {
        ModelProto source = ModelFile.Load(GoldenModel.Cnn);
        source.Graph!.Node.First(node => node.OpType == "Conv").Name = "../../escaped";
        string model = Path.Combine(_folder, "named.onnx");
        ModelFile.Save(source, model);
        string compiled = Path.Combine(_folder, "out", "cnn.onnx");
        Assert.Equal(0, Run("compile", model, "-o", compiled, "--nest", "8:6").Code);

        Assert.Equal(0, Run("inspect", compiled, "--unpack", Path.Combine(_folder, "a", "b", "unpacked")).Code);

        Assert.True(File.Exists(Path.Combine(_folder, "a", "b", "unpacked", "escaped.w_int.npy")));
        Assert.Equal(
            Directory.GetFiles(Path.Combine(_folder, "a", "b", "unpacked")).Length,
            Directory.GetFiles(_folder, "*.npy", SearchOption.AllDirectories).Length);
    }

    [Fact]
    public void A_report_escapes_what_the_model_says()
    {
        ModelProto source = ModelFile.Load(GoldenModel.Cnn);
        source.Graph!.Node.First(node => node.OpType == "Conv").Name = "<script>alert(1)</script>";
        string model = Path.Combine(_folder, "named.onnx");
        ModelFile.Save(source, model);
        string report = Path.Combine(_folder, "r.html");

        Assert.Equal(0, Run("compile", model, "-o", Path.Combine(_folder, "out.onnx"), "--nest", "8:6", "--report", report).Code);

        Assert.DoesNotContain("<script", File.ReadAllText(report), StringComparison.Ordinal);
    }

    private static string WithLocation(string path, string location)
    {
        ModelProto model = ModelFile.Load(File.ReadAllBytes(GoldenModel.Cnn));
        TensorProto weight = model.Graph!.Initializer.First(tensor => tensor.Dims.Count == 4);
        string length = weight.ByteCount.ToString(CultureInfo.InvariantCulture);
        weight.RawData = null;
        weight.DataLocation = TensorDataLocation.External;
        weight.ExternalData.Add(new StringStringEntryProto("location", location));
        weight.ExternalData.Add(new StringStringEntryProto("length", length));
        using FileStream stream = File.Create(path);
        ProtoBuf.Serializer.Serialize(stream, model);
        return path;
    }

    private static (int Code, string Error) Run(params string[] args)
    {
        using var error = new StringWriter { NewLine = "\n" };
        return (CliApplication.Run(args, new CliConsole(TextWriter.Null, error)), error.ToString());
    }
}
