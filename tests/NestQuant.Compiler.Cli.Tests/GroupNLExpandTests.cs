using NestQuant.Onnx;
using NestQuant.Onnx.Files;

namespace NestQuant.Compiler.Cli.Tests;

/// <summary><c>compile --groupnl expand</c>: what it writes, what it says, and what it refuses.</summary>
public sealed class GroupNLExpandTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("expand", 2, 0)]
    [InlineData("expand:r=4,g=2,sparse,seed=7,period=0.5:3,shift=-1:1,form=standard,function=sine", 2, 0)]
    [InlineData("expand:form=fused", 0, 2)]
    [InlineData("expand:form=fused,function=gaussian", 0, 2)]
    [InlineData("expand:form=fused,function=monomial,power=5", 0, 2)]
    public void Convolutions_become_blocks(string kind, int sines, int operators)
    {
        ToolRun run = Tool.Run("compile", Golden.Cnn, "-o", _folder["a.onnx"], "--groupnl", kind).ShouldSucceed();

        List<NodeProto> nodes = ModelFile.Load(_folder["a.onnx"]).Graph!.Node;
        Assert.Equal(sines, nodes.Count(node => node.OpType == "Sin"));
        Assert.Equal(operators, nodes.Count(node => node.OpType == "GroupNLExpand"));
        Assert.Contains("kept by groupnl-expansion: it is the first convolution (stem)", run.Out, StringComparison.Ordinal);
        Assert.Contains("2 of 4 Conv expanded; parameters 23,626 -> ", run.Out, StringComparison.Ordinal);
        Assert.Contains("the expanded model needs training", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Patterns_choose_and_leave_out()
    {
        ToolRun run = Tool.Run(
            "compile", Golden.Cnn, "-o", _folder["a.onnx"], "--groupnl", "expand", "--groupnl-include", "/conv2/*", "--groupnl-include",
            "/conv3/*", "--groupnl-exclude", "/conv3/Conv")
            .ShouldSucceed();

        Assert.Contains("groupnl-expansion: /conv2/Conv: 32 outputs -> 16 seeds (dense) + 16 generated", run.Out, StringComparison.Ordinal);
        Assert.Contains("kept by groupnl-expansion: excluded by '/conv3/Conv'", run.Out, StringComparison.Ordinal);
        Assert.Contains("kept by groupnl-expansion: no include pattern matches it", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Fused_blocks_are_nested_with_their_convolution()
    {
        Tool.Run("compile", Golden.Path("digits-cnn-bn.onnx"), "-o", _folder["a.onnx"], "--groupnl", "expand:form=fused", "--nest", "8:6")
            .ShouldSucceed();

        Assert.Equal(2, ModelFile.Load(_folder["a.onnx"]).Graph!.Node.Count(node => node.OpType == "NestedGroupNLConv"));
    }

    [Theory]
    [InlineData("expand:r=64", "a ratio of 64 leaves no seed for its 32 outputs")]
    [InlineData("expand:r=3", "its 32 outputs are not a multiple of the ratio 3")]
    [InlineData("expand:g=17", "its 16 seeds are fewer than the 17 groups")]
    public void What_cannot_be_expanded_is_refused(string kind, string message)
    {
        Tool.Run("compile", Golden.Cnn, "-o", _folder["a.onnx"], "--groupnl", kind).ShouldFail(1, message);
        Assert.Empty(_folder.Entries);
    }

    [Fact]
    public void A_pattern_that_matches_nothing_is_refused() =>
        Tool.Run("compile", Golden.Cnn, "-o", _folder["a.onnx"], "--groupnl", "expand", "--groupnl-include", "/convolution9")
            .ShouldFail(1, "the include pattern '/convolution9' for the expansion matches no Conv");
}
