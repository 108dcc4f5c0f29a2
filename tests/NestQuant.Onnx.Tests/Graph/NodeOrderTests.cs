using CsCheck;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Graph;
using NestQuant.TestSupport;

namespace NestQuant.Onnx.Tests.Graph;

public sealed class NodeOrderTests
{
    [Fact]
    public void NodesComeAfterWhatTheyReadAndOtherwiseKeepTheirPlaces()
    {
        GraphBuilder graph = Network("last = Add(b, y)", "y = Neg(a)", "a = Abs(x)", "b = Exp(x)").Output("last");
        Assert.Equal(["a", "y", "b", "last"], Loaded(graph.Model()).Node.Select(static node => node.Output[0]));
    }

    [Fact]
    public void SubgraphsAreOrderedAndTheirNodesKeepOuterNodesInFront()
    {
        GraphBuilder then = new GraphBuilder("then").Node("t = Add(u, late)").Node("u = Neg(x)").Output("t");
        GraphBuilder otherwise = new GraphBuilder("else").Node("e = Neg(x)").Output("e");
        GraphProto graph = Loaded(new GraphBuilder().Input("x", 2).Input(TensorDataType.Bool, "c")
            .Node(
                "y = If(c)",
                AttributeProto.Graph("then_branch", then.Graph),
                AttributeProto.Graph("else_branch", otherwise.Graph))
            .Node("late = Abs(x)").Output("y").Model());

        Assert.Equal(["late", "y"], graph.Node.Select(static node => node.Output[0]));
        Assert.Equal(["u", "t"], graph.Node[1].Subgraphs().First().Node.Select(static node => node.Output[0]));
    }

    [Fact]
    public void FunctionsAreOrdered()
    {
        ModelProto model = Network("y = local.F(x)").Output("y").Model(domains: "local");
        var function = new FunctionProto { Name = "F", Domain = "local" };
        function.Input.Add("i");
        function.Output.Add("o");
        function.Node.AddRange([GraphBuilder.Parse("o = Neg(a)"), GraphBuilder.Parse("a = Abs(i)")]);
        function.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = 17 });
        model.Functions.Add(function);

        Assert.Equal(["a", "o"], ModelFile.Load(ModelFile.ToBytes(model)).Functions[0].Node.Select(static node => node.Output[0]));
    }

    [Theory]
    [InlineData("y = Neg(y)")]
    [InlineData("y = Neg(a)", "a = Add(x, b)", "b = Abs(a)")]
    public void ACycleIsAnError(params string[] nodes)
    {
        GraphBuilder graph = Network(nodes).Output("y");
        string message = Assert.Throws<ModelException>(() => Loaded(graph.Model())).Message;
        string inCycle = nodes.Length == 1 ? "y" : "a";
        Assert.Contains($"node '{inCycle}' needs its own result", message, StringComparison.Ordinal);
    }

    /// <summary>Loading refuses a model that is not in order afterwards.</summary>
    [Fact]
    public void AnyOrderBecomesAValidOneAndAValidOneStays() => Gen.Int[0, 10000].Sample(seed =>
    {
        var random = new Random(seed);
        string[] nodes =
        [
            "v0 = Neg(x)",
            .. Enumerable.Range(1, 12).Select(i => FormattableString.Invariant($"v{i} = Add(v{random.Next(i)}, v{random.Next(i)})")),
        ];
        string[] results = [.. nodes.Select(static node => node.Split(' ')[0])];
        Assert.Equal(results, Results(nodes));
        random.Shuffle(nodes);
        Assert.Equal(results.Order(StringComparer.Ordinal), Results(nodes).Order(StringComparer.Ordinal));
    });

    private static IEnumerable<string> Results(string[] nodes) =>
        Loaded(Network(nodes).Output("v12").Model()).Node.Select(static node => node.Output[0]);

    private static GraphProto Loaded(ModelProto model) => ModelFile.Load(ModelFile.ToBytes(model)).Graph!;

    private static GraphBuilder Network(params string[] nodes)
    {
        GraphBuilder graph = new GraphBuilder().Input("x", 2);
        foreach (string node in nodes) graph.Node(node);
        return graph;
    }
}
