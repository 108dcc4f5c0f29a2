using NestQuant.Onnx.Files;
using NestQuant.Onnx.Text;

namespace NestQuant.Compiler.Cli.Tests;

public sealed class PrintAndDiffTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Print_shows_one_node_a_line()
    {
        ToolRun run = Tool.Run("print", Golden.Cnn).ShouldSucceed();
        Assert.Equal(ModelText.Print(ModelFile.Load(Golden.Cnn)), run.Out);
        Assert.Equal(4, run.Out.Split('\n').Count(line => line.Contains("= Conv ", StringComparison.Ordinal)));
    }

    [Fact]
    public void Diff_is_silent_for_equal_models_and_exits_with_1_for_others()
    {
        Tool.CompileCnn(_folder);

        Assert.Equal(new ToolRun(0, "", ""), Tool.Run("diff", Golden.Cnn, Golden.Cnn));
        ToolRun run = Tool.Run("diff", Golden.Cnn, _folder["cnn.onnx"]);
        Assert.Equal((1, ""), (run.Code, run.Error));
        Assert.Contains("NestedConv", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Print_leaves_out_provenance_unless_asked()
    {
        string model = Tool.CompileCnn(_folder);
        Assert.DoesNotContain("nestquant.version", Tool.Run("print", model).ShouldSucceed().Out, StringComparison.Ordinal);
        Assert.Contains("nestquant.version", Tool.Run("print", model, "--metadata").ShouldSucceed().Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Print_shows_as_many_values_as_asked()
    {
        Assert.Contains("= {} # sha256:", Tool.Run("print", Golden.Cnn).ShouldSucceed().Out, StringComparison.Ordinal);
        Assert.DoesNotContain("= {} # sha256:", Tool.Run("print", Golden.Cnn, "--weights").ShouldSucceed().Out, StringComparison.Ordinal);
        string few = Tool.Run("print", Golden.Cnn, "--max-elements", "100").ShouldSucceed().Out;
        Assert.Contains("float[16] ", few, StringComparison.Ordinal);
        Tool.Run("print", Golden.Cnn, "--max-elements", "100", "--weights").ShouldFail(2, "--weights");
    }

    [Fact]
    public void Print_writes_to_a_file()
    {
        string text = Tool.Run("print", Golden.Cnn).ShouldSucceed().Out;
        Assert.Equal(new ToolRun(0, "", ""), Tool.Run("print", Golden.Cnn, "-o", _folder["a/cnn.txt"]));
        Assert.Equal(text, File.ReadAllText(_folder["a/cnn.txt"]));
        File.Copy(Golden.Cnn, _folder["cnn.onnx"]);
        Tool.Run("print", _folder["cnn.onnx"], "-o", _folder["cnn.onnx"]).ShouldFail(1, "cnn.onnx");
    }
}
