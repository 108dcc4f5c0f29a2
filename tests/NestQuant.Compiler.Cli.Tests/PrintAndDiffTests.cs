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
}
