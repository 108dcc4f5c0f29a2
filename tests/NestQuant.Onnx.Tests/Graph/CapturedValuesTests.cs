using NestQuant.Onnx.Graph;
using NestQuant.TestSupport;

namespace NestQuant.Onnx.Tests.Graph;

public sealed class CapturedValuesTests
{
    [Fact]
    public void AreReadButNotDefined()
    {
        GraphBuilder inner = new GraphBuilder("inner").Node("i = Add(a, far)").Output("i");
        GraphBuilder body = new GraphBuilder("body")
            .Input("x", 2)
            .Random("k", 2)
            .Node("a = Add(x, near)")
            .Node("b = Add(k, near)")
            .Node("o = If(c)", AttributeProto.Graph("then_branch", inner.Graph))
            .Output("o", "direct");
        Assert.Equal(["c", "direct", "far", "near"], CapturedValues.Of(body.Graph).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void OmittedInputsAreNotCaptured() =>
        Assert.Equal(["x"], CapturedValues.Of(new GraphBuilder().Node("y = Clip(x, , )").Output("y").Graph));

    [Fact]
    public void GraphListsAreBodiesToo()
    {
        var attribute = new AttributeProto { Name = "bodies", Type = AttributeType.Graphs };
        attribute.Graphs.Add(new GraphBuilder("one").Node("a = Neg(p)").Output("a").Graph);
        attribute.Graphs.Add(new GraphBuilder("two").Node("b = Neg(q)").Output("b").Graph);
        Assert.Equal(["p", "q"], CapturedValues.Of(new GraphBuilder().Node("y = custom.Op()", attribute).Output("y").Graph));
    }

    [Fact]
    public void RenameChangesInputsAndDirectOutputs()
    {
        GraphProto body = new GraphBuilder("body").Node("o = Add(a, b)").Output("o", "a").Graph;
        CapturedValues.Rename(body, "a", "z");
        Assert.Equal(["z", "b"], body.Node[0].Input);
        Assert.Equal(["o", "z"], body.Output.Select(static output => output.Name));
    }

    [Fact]
    public void RenameLeavesABodyThatDefinesTheName()
    {
        GraphProto body = new GraphBuilder("body").Input("a", 2).Node("o = Neg(a)").Output("o").Graph;
        CapturedValues.Rename(body, "a", "z");
        Assert.Equal("a", body.Node[0].Input[0]);
    }
}
