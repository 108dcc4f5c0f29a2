using NestQuant.Onnx.Validation;
using NestQuant.TestSupport;

namespace NestQuant.Onnx.Tests.Validation;

public sealed class ValueOrderTests
{
    [Fact]
    public void AcceptsAnOrderedGraph() => Verify(Network().Node("a = Neg(x)").Node("y = Add(a, a)").Output("y"));

    [Theory]
    [InlineData("y = Neg(a)", "a = Abs(x)")]
    [InlineData("a = Neg(a)", "y = Abs(a)")]
    public void NamesReaderValueAndProducer(string first, string second) =>
        AssertRefused(Network().Node(first).Node(second).Output("y"), "reads 'a' before node 'a' produces it");

    [Fact]
    public void RefusesAValueThatNothingDefines() =>
        AssertRefused(Network().Node("y = Add(x, u)").Output("y"), "node 'y' reads 'u', which nothing in graph 'test' defines");

    [Fact]
    public void RefusesAnOutputThatNothingDefines() =>
        AssertRefused(Network().Node("y = Abs(x)").Output("y", "q"), "output 'q' of graph 'test' is defined by nothing");

    [Fact]
    public void RefusesAValueThatIsProducedTwice() =>
        AssertRefused(
            Network().Node("one: y = Neg(x)").Node("two: y = Abs(x)").Output("y"),
            "value 'y' of graph 'test' is produced twice, by 'one' and 'two'");

    [Theory]
    [InlineData("x")]
    [InlineData("w")]
    public void RefusesAResultWithTheNameOfAnInputOrInitializer(string name) =>
        AssertRefused(
            Network().Floats("w", [2], 1, 2).Node($"{name} = Neg(x)").Node("y = Abs(x)").Output("y"),
            $"value '{name}' of graph 'test' is produced twice");

    [Fact]
    public void RefusesTwoInputsAndTwoInitializersOfOneName()
    {
        AssertRefused(Network().Input("x", 2).Node("y = Abs(x)").Output("y"), "two inputs 'x'");
        AssertRefused(Network().Floats("w", [2], 1, 2).Floats("w", [2], 3, 4).Node("y = Add(x, w)").Output("y"), "two initializers 'w'");
    }

    [Fact]
    public void AnInitializerMayGiveAnInputItsDefault() => Verify(Network().Floats("x", [2], 1, 2).Node("y = Abs(x)").Output("y"));

    [Fact]
    public void OmittedOutputsAreNoValues() => Verify(Network().Node("a, = Dropout(x)").Node("y, = Dropout(a)").Output("y"));

    [Fact]
    public void ASubgraphMustNotReadWhatComesLater() =>
        AssertRefused(WithBranch(Body().Node("o = Neg(a)").Output("o")).Node("a = Abs(x)"), "reads 'a' before node 'a' produces it");

    [Fact]
    public void SubgraphsAreCheckedThemselves() =>
        AssertRefused(WithBranch(Body().Node("o = Neg(i)").Node("i = Abs(x)").Output("o")), "reads 'i' before");

    [Fact]
    public void ASubgraphMayHideOuterValuesByInitializersButNotByResults()
    {
        Verify(WithBranch(Body().Floats("x", [2], 1, 2).Node("o = Neg(x)").Output("o")));
        AssertRefused(WithBranch(Body().Node("x = Neg(c)").Output("x")), "value 'x' of graph 'body' is produced twice");
    }

    private static GraphBuilder Network() => new GraphBuilder().Input("x", 2);

    private static GraphBuilder Body() => new("body");

    private static GraphBuilder WithBranch(GraphBuilder body) => Network().Input(TensorDataType.Bool, "c")
        .Node(
            "y = If(c)",
            AttributeProto.Graph("then_branch", body.Graph),
            AttributeProto.Graph("else_branch", Body().Node("e = Neg(x)").Output("e").Graph))
        .Output("y");

    private static void Verify(GraphBuilder graph) => ModelValidation.Verify(graph.Model());

    private static void AssertRefused(GraphBuilder graph, string expected) =>
        Assert.Contains(expected, Assert.Throws<ModelException>(() => Verify(graph)).Message, StringComparison.Ordinal);
}
