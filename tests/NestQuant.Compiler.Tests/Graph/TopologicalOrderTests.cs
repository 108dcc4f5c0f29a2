using NestQuant.Compiler.Graph;
using NestQuant.Compiler.Onnx;

namespace NestQuant.Compiler.Tests.Graph;

public sealed class TopologicalOrderTests
{
    [Fact]
    public void AcceptsAnOrderedGraph() => TopologicalOrder.Verify(new GraphBuilder().Input("x", 2).Node("a = Neg(x)").Node("y = Add(a, a)").Output("y").Graph);

    [Theory]
    [InlineData("y = Neg(a)", "a = Abs(x)")]
    [InlineData("a = Neg(a)", "y = Abs(a)")]
    public void NamesReaderValueAndProducer(string first, string second)
    {
        string message = Assert.Throws<ModelException>(() => TopologicalOrder.Verify(new GraphBuilder().Input("x", 2).Node(first).Node(second).Output("y").Graph)).Message;
        Assert.Contains("reads 'a' before node 'a' produces it", message, StringComparison.Ordinal);
    }

    [Fact]
    public void RefusesAValueThatIsProducedTwice()
    {
        string message = Assert.Throws<ModelException>(() => TopologicalOrder.Verify(new GraphBuilder().Input("x", 2).Node("one: y = Neg(x)").Node("two: y = Abs(x)").Output("y").Graph)).Message;
        Assert.Contains("'one' and 'two'", message, StringComparison.Ordinal);
    }

    [Fact]
    public void OmittedOutputsAreNoValues() => TopologicalOrder.Verify(new GraphBuilder().Input("x", 2).Node("a, = Dropout(x)").Node("y, = Dropout(a)").Output("y").Graph);

    [Fact]
    public void ABodyMustNotReadWhatComesLater()
    {
        GraphBuilder body = new GraphBuilder("body").Node("o = Neg(a)").Output("o");
        GraphBuilder graph = new GraphBuilder().Input("x", 2).Node("y = If(x)", AttributeProto.Graph("then_branch", body.Graph)).Node("a = Abs(x)").Output("y", "a");
        Assert.Throws<ModelException>(() => TopologicalOrder.Verify(graph.Graph));
    }

    [Fact]
    public void BodiesAreVerifiedThemselves()
    {
        GraphBuilder body = new GraphBuilder("body").Node("o = Neg(i)").Node("i = Abs(x)").Output("o");
        GraphBuilder graph = new GraphBuilder().Input("x", 2).Node("y = If(x)", AttributeProto.Graph("then_branch", body.Graph)).Output("y");
        Assert.Contains("'i'", Assert.Throws<ModelException>(() => TopologicalOrder.Verify(graph.Graph)).Message, StringComparison.Ordinal);
    }
}
