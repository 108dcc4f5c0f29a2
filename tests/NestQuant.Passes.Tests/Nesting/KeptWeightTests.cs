using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;
using static NestQuant.Passes.Tests.Nesting.NestingPassTests;

namespace NestQuant.Passes.Tests.Nesting;

/// <summary>What the pass leaves as it is, and why.</summary>
public sealed class KeptWeightTests
{
    [Fact]
    public void AWeightThatAnotherOperatorNeedsInFloatStays()
    {
        PassRun run = Nest(
            new GraphBuilder().Input("x", 2, 4).Random("W", 4, 4).Node("a = MatMul(x, W)").Node("norm: y = Sub(a, W)").Output("y"),
            loads: false);
        Assert.False(run.Changed);
        Assert.Contains("Sub 'norm'", run.ReasonFor("a"), StringComparison.Ordinal);
    }

    [Fact]
    public void AWeightThatIsAlsoTheLeftHandSideStays() =>
        Assert.False(
            Nest(new GraphBuilder().Input("x", 4, 4).Random("W", 4, 4).Node("a = MatMul(W, W)").Node("y = Add(x, a)").Output("y")).Changed);

    [Fact]
    public void AWeightThatALocalFunctionReadsStays()
    {
        ModelProto model = new GraphBuilder()
            .Input("x", 2, 4)
            .Random("W", 4, 4)
            .Node("a = MatMul(x, W)")
            .Node("f: y = local.F(a, W)")
            .Output("y")
            .Model(domains: "local");
        model.Functions.Add(Functions.Of("F", ["p", "q"], "r", GraphBuilder.Parse("inside: r = MatMul(p, q)")));
        PassRun run = PassRun.Of(new NestingPass(Options()), model);
        Assert.False(run.Changed);
        Assert.Contains("F 'f'", run.ReasonFor("a"), StringComparison.Ordinal);
        Assert.Contains("local function 'F'", run.ReasonFor("inside"), StringComparison.Ordinal);
    }

    [Fact]
    public void AWeightThatIsAGraphInputStays()
    {
        PassRun run = Nest(Matrix().Input("W", 4, 6));
        Assert.False(run.Changed);
        Assert.Contains("also a graph input", run.ReasonFor("y"), StringComparison.Ordinal);
    }

    [Fact]
    public void AWeightThatIsAGraphOutputStays() =>
        Assert.Contains("output of the graph", Nest(Matrix().Output("W")).ReasonFor("y"), StringComparison.Ordinal);

    [Fact]
    public void AComputedWeightStays() =>
        Assert.Contains(
            "not a constant",
            Nest(new GraphBuilder().Input("x", 2, 4).Input("w", 4, 6).Node("W = Neg(w)").Node("y = MatMul(x, W)").Output("y"))
                .ReasonFor("y"),
            StringComparison.Ordinal);

    [Fact]
    public void AConstantLeftHandSideStays() =>
        Assert.Contains(
            "'x' is not a constant",
            Nest(new GraphBuilder().Input("x", 4, 6).Random("W", 3, 4).Node("y = MatMul(W, x)").Output("y")).ReasonFor("y"),
            StringComparison.Ordinal);

    [Fact]
    public void AVectorStays() =>
        Assert.Contains(
            "vector",
            Nest(new GraphBuilder().Input("x", 2, 4).Random("W", 4).Node("y = MatMul(x, W)").Output("y")).ReasonFor("y"),
            StringComparison.Ordinal);

    [Fact]
    public void ASparseWeightStays()
    {
        GraphBuilder graph = new GraphBuilder().Input("x", 2, 4).Node("y = MatMul(x, W)").Output("y");
        graph.Graph.SparseInitializer.Add(
            new SparseTensorProto
            {
                Values = TensorProto.FromFloats("W", [1], [2]),
                Indices = TensorProto.FromInt64s("", [1], [3]),
                Dims = { 4, 6 },
            });
        Assert.Contains("not a constant", Nest(graph, loads: false).ReasonFor("y"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TensorDataType.Double, 8)]
    [InlineData(TensorDataType.Float16, 2)]
    public void WeightsThatAreNotFloat32Stay(TensorDataType type, int size)
    {
        PassRun run = Nest(
            new GraphBuilder()
                .Input(type, "x", 2, 4)
                .Constant(TensorProto.FromBytes("W", type, [4, 6], new byte[24 * size]))
                .Node("y = MatMul(x, W)")
                .Output("y"),
            loads: false);
        Assert.Contains("only float32", run.ReasonFor("y"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void WeightsThatAreNotFiniteAreAnError(float value)
    {
        GraphBuilder Graph() =>
            new GraphBuilder()
                .Input("x", 2, 2)
                .Floats("W", [2, 2], 1, 2, 3, value)
                .Random("V", 2, 2)
                .Node("bad: a = MatMul(x, W)")
                .Node("y = MatMul(a, V)")
                .Output("y");
        string message = Assert.Throws<ModelException>(() => Nest(Graph())).Message;
        Assert.Contains("'W'", message, StringComparison.Ordinal);
        Assert.Contains("'bad'", message, StringComparison.Ordinal);
        Assert.Contains("element 3", message, StringComparison.Ordinal);
        Assert.Contains("excluded by 'bad'", Nest(Graph(), exclude: "bad").ReasonFor("bad"), StringComparison.Ordinal);
    }

    [Fact]
    public void AnEmptyWeightIsAnErrorUnlessItsNodeIsExcluded()
    {
        GraphBuilder Graph() =>
            new GraphBuilder()
                .Input("x", 2, 0)
                .Floats("W", [0, 3])
                .Random("V", 3, 2)
                .Node("bad: a = MatMul(x, W)")
                .Node("y = MatMul(a, V)")
                .Output("y");
        Assert.Contains("'bad' has no elements", Assert.Throws<ModelException>(() => Nest(Graph())).Message, StringComparison.Ordinal);
        Assert.Contains("NestedGemm", Nest(Graph(), exclude: "bad").Ops);
    }

    [Fact]
    public void AnEmptyTableIsAnError()
    {
        GraphBuilder graph = new GraphBuilder()
            .Input(TensorDataType.Int64, "i", 0)
            .Floats("T", [0, 3])
            .Node("bad: y = Gather(T, i)")
            .Output("y");
        Assert.Contains("'bad' has no elements", Assert.Throws<ModelException>(() => Nest(graph)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/layer1/conv", true, false)]
    [InlineData("/layer1/*", true, false)]
    [InlineData("/layer?/conv", true, true)]
    [InlineData("*", true, true)]
    public void ExcludedNodesStay(string pattern, bool first, bool second)
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 1, 3, 5, 5)
            .Random("W", 3, 3, 1, 1)
            .Random("V", 3, 3, 1, 1)
            .Node("/layer1/conv: a = Conv(x, W)")
            .Node("/layer2/conv: y = Conv(a, V)")
            .Output("y");
        PassRun run = Nest(graph, exclude: pattern);
        Assert.Equal((first, second), (!run.About("/layer1/conv").Rewritten, !run.About("/layer2/conv").Rewritten));
    }

    [Theory]
    [InlineData("conv")]
    [InlineData("/LAYER1/conv")]
    [InlineData("")]
    public void APatternThatMatchesNothingIsAnError(string pattern)
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 1, 3, 5, 5)
            .Random("W", 3, 3, 1, 1)
            .Node("/layer1/conv: y = Conv(x, W)")
            .Output("y");
        Assert.Contains("matches no", Assert.Throws<ModelException>(() => Nest(graph, exclude: pattern)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnExcludedReaderKeepsTheOtherReadersInFloat()
    {
        PassRun run = Nest(
            new GraphBuilder().Input("x", 2, 4).Random("W", 4, 4).Node("one: a = MatMul(x, W)").Node("two: y = MatMul(a, W)").Output("y"),
            exclude: "one");
        Assert.False(run.Changed);
        Assert.Contains("'one'", run.ReasonFor("two"), StringComparison.Ordinal);
    }
}
