using NestQuant.Onnx.Graph;
using NestQuant.TestSupport;

namespace NestQuant.Onnx.Tests.Graph;

public sealed class GraphTraversalTests
{
    [Fact]
    public void AllNodesAreThoseOfTheGraphItsBodiesAndTheFunctions()
    {
        GraphBuilder inner = new GraphBuilder("inner").Node("i = Sin(x)").Output("i"),
            body = new GraphBuilder("body").Node("o = If(c)", AttributeProto.Graph("then_branch", inner.Graph)).Output("o");
        ModelProto model = new GraphBuilder()
            .Node("a = Abs(x)")
            .Node("y = Loop(a)", AttributeProto.Graph("body", body.Graph))
            .Node("z = Exp(y)")
            .Output("z")
            .Model();
        model.Functions.Add(new FunctionProto { Name = "f", Node = { GraphBuilder.Parse("b = Log(a)") } });
        Assert.Equal(["Abs", "Loop", "If", "Sin", "Exp", "Log"], model.AllNodes().Select(static node => node.OpType));
    }

    [Theory]
    [InlineData("n: y = Conv(x)", "n")]
    [InlineData("y = Conv(x)", "y")]
    [InlineData(", m = Conv(x)", "m")]
    public void ANodeIsCalledByItsNameOrItsFirstOutput(string text, string expected) =>
        Assert.Equal(expected, GraphBuilder.Parse(text).DisplayName());

    [Theory]
    [InlineData("", true)]
    [InlineData("ai.onnx", true)]
    [InlineData("ai.onnx.ml", false)]
    [InlineData("com.nestquant", false)]
    public void TheDefaultDomainHasTwoSpellings(string domain, bool expected) =>
        Assert.Equal(expected, new NodeProto { OpType = "Conv", Domain = domain }.Is("Conv"));

    [Fact]
    public void InputsThatAreLeftOutAreEmpty()
    {
        NodeProto node = GraphBuilder.Parse("y = Clip(x, , b)");
        Assert.Equal(["x", "", "b", ""], Enumerable.Range(0, 4).Select(node.InputAt));
    }

    [Fact]
    public void TheOpsetVersionIsThatOfTheDefaultDomain()
    {
        Assert.Equal(13, new GraphBuilder().Model(opset: 13, domains: "other").OpsetVersion());
        Assert.Equal(0, new ModelProto().OpsetVersion());
    }

    [Fact]
    public void AModelWithoutAGraphIsBadInput() => Assert.Throws<ModelException>(() => new ModelProto().MainGraph());
}
