using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Export;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Operators;
using NestQuant.Passes.Tests.Calibration;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;
using static NestQuant.Passes.Tests.Nesting.NestingPassTests;

namespace NestQuant.Passes.Tests.Nesting;

/// <summary>Tables that Gather takes rows of: which are nested, how they are rounded, and what shares them.</summary>
public sealed class NestedTableTests
{
    [Fact]
    public void ATableIsNestedAndItsFloatsAreGone()
    {
        PassRun run = Nest(Table(40, 20).Node("y = Gather(W, i)").Output("y"));
        Assert.Equal(["NestedGather"], run.Ops);
        Assert.False(run.HasInitializer("W"));
        NestedOperator nested = Assert.Single(NestedOperator.Of(run.Model));
        Assert.Equal(new ChannelView(40, 20, 1, 1), nested.Layout.View);
        Assert.Equal(["y"], nested.Consumers);
        Assert.True(run.About("y").Rewritten);
    }

    [Theory]
    [InlineData(1, "its axis is 1")]
    [InlineData(-1, "its axis is -1")]
    public void AnotherAxisStays(long axis, string reason) => Assert.Contains(
        reason, Nest(Table(40, 20).Node("y = Gather(W, i)", AttributeProto.Int("axis", axis)).Output("y")).ReasonFor("y"),
        StringComparison.Ordinal);

    /// <summary>8 rows take as many bytes as one.</summary>
    [Theory]
    [InlineData(2, 384, "takes 3072 bytes in float, and would take 3496 nested")]
    [InlineData(1, 20, "takes 80 bytes in float")]
    [InlineData(5000, 1, "takes 20000 bytes in float")]
    public void ATableThatWouldBeNoSmallerStays(long rows, long length, string reason) => Assert.Contains(
        reason, Nest(Table(rows, length).Node("y = Gather(W, i)").Output("y")).ReasonFor("y"), StringComparison.Ordinal);

    [Fact]
    public void ATableThatIsAlsoAddedStays() => Assert.Contains(
        "also read by Neg 'n'", Nest(Table(40, 20).Node("y = Gather(W, i)").Node("n: z = Neg(W)").Output("y", "z")).ReasonFor("y"),
        StringComparison.Ordinal);

    [Fact]
    public void ATableThatACallerMayReplaceStays() => Assert.Contains(
        "also a graph input", Nest(Table(40, 20).Input("W", 40, 20).Node("y = Gather(W, i)").Output("y")).ReasonFor("y"),
        StringComparison.Ordinal);

    /// <summary>Gathers from activations, shapes and lists of numbers are no candidates.</summary>
    [Fact]
    public void OtherGathersNeedNoDecision()
    {
        GraphBuilder graph = Table(40, 20).Random("v", 30).Int64s("n", 1, 2, 3).Node("a = Gather(x, i)").Node("b = Gather(v, i)")
            .Node("s = Shape(x)").Node("c = Gather(s, zero)").Int64s("zero", 0).Node("d = Gather(n, c)").Input("x", 3, 4);
        Assert.Empty(Nest(graph.Output("a", "b", "d"), loads: false).Decisions);
    }

    [Fact]
    public void ATableInASubgraphIsNested()
    {
        GraphBuilder then = new GraphBuilder("then").Node("t = Gather(W, i)").Output("t");
        GraphBuilder otherwise = new GraphBuilder("else").Random("V", 40, 20).Node("e = Gather(V, i)").Output("e");
        PassRun run = Nest(Table(40, 20).If("y", then, otherwise).Output("y"));
        Assert.Equal(2, run.Ops.Count(static op => op == "NestedGather"));
    }

    /// <summary>Adaptive rounding would keep the sum of a row, which nothing reads, at the price of its values.</summary>
    [Fact]
    public void RowsAreRoundedToNearest()
    {
        PassRun run = Nest(Table(40, 20).Node("y = Gather(W, i)").Output("y"));
        NestedOperator nested = NestedOperator.Of(run.Model)[0];
        float[] scales = nested.Scale.ToFloats(), values = Table(40, 20).Graph.Initializer[0].ToFloats();
        sbyte[] integers = nested.Integers(8);
        for (int i = 0; i < values.Length; i++) Assert.InRange(Math.Abs((values[i] / scales[i / 20]) - integers[i]), 0, 0.5001f);
    }

    [Theory]
    [InlineData(ActivationMode.WeightOnly)]
    [InlineData(ActivationMode.Dynamic)]
    public void TiedEmbeddingsShareOneOperand(ActivationMode mode)
    {
        ModelProto compiled = NestQuantCompiler.Compile(Tied(), Options(mode)).Model;
        NestedOperator[] nested = [.. NestedOperator.Of(compiled)];
        Assert.Equal(2, nested.Length);
        Assert.Equal(nested[0].High.Name, nested[1].High.Name);
        Assert.DoesNotContain(compiled.MainGraph().Initializer, static tensor => tensor.ByteCount >= 40 * 20 * sizeof(float));

        (string, TensorValue)[] feeds = [("x", TensorValue.Random(3, 20)), ("i", TensorValue.OfInt64([3], 0, 39, -2))];
        Dictionary<string, TensorValue> expected = ModelRunner.Run(Tied(), feeds), actual = ModelRunner.Run(compiled, feeds);
        foreach (string output in (string[])["e", "y"]) Closeness.AssertClose(expected[output], actual[output], 0.02f);

        ModelProto exported = ModelExport.ToQdq(compiled, new ExportOptions { Bits = 8 }).Model;
        Assert.Single(exported.MainGraph().Initializer, static tensor => tensor.ByteCount >= 40 * 20);
        Closeness.AssertClose(actual["e"], ModelRunner.Run(exported, feeds)["e"], 1e-6f);
    }

    [Fact]
    public void AProductThatCannotShareItsTableSaysWhy()
    {
        var options = Options(ActivationMode.Dynamic);
        options = options with { Weights = options.Weights with { Exclude = ["rows"] } };
        CompileResult result = NestQuantCompiler.Compile(Tied(), options);
        Assert.DoesNotContain(result.Model.AllNodes(), SchemaNodes.IsNested);
        Assert.Contains(
            result.Decisions.Decisions,
            static decision => decision is { Node: "product", Reason: { } reason }
                && reason.Contains("also read by Gather 'rows', which needs it in float32", StringComparison.Ordinal));
    }

    /// <summary>Data rounds the table for the product that shares it, and a table alone without.</summary>
    [Fact]
    public void TablesAreNestedWithCalibrationData()
    {
        var data = new ArrayData([64, 20], TensorValue.Random(64, 20).Floats);
        ModelProto model = new GraphBuilder().Input("x", -1, 20).Random("W", 40, 20).Random("V", 40, 20)
            .Node("s = Shape(x)").Node("product: y = Gemm(x, W)", AttributeProto.Int("transB", 1))
            .Node("rows: e = Gather(W, s)").Node("alone: f = Gather(V, s)").Output("y", "e", "f").Model();
        CompileResult result = NestQuantCompiler.Compile(
            model,
            new CompilerOptions
            {
                Weights = new() { Bits = new NestedBits(8, 4), Calibration = new WeightCalibration(data.Set) },
                Activations = new() { Mode = ActivationMode.WeightOnly },
            });
        Dictionary<string, NestedOperator> nested = NestedOperator.Of(result.Model).ToDictionary(static one => one.Node.DisplayName());
        Assert.NotNull(nested["rows"].PartScale);
        Assert.Null(nested["alone"].PartScale);
        Assert.All(
            result.Decisions.Decisions.Where(static decision => decision.Op == "Gather"),
            static decision => Assert.Null(decision.Note));
    }

    private static CompilerOptions Options(ActivationMode mode) => new()
    {
        Weights = new() { Bits = new NestedBits(8, 6) },
        Activations = new() { Mode = mode },
    };

    private static GraphBuilder Table(long rows, long length) =>
        new GraphBuilder().Input(TensorDataType.Int64, "i", 3).Random("W", rows, length);

    /// <summary>The transpose is a constant of its own, as exporters write it.</summary>
    private static ModelProto Tied()
    {
        GraphBuilder graph = Table(40, 20).Input("x", 3, 20).Node("rows: e = Gather(W, i)").Node("product: y = MatMul(x, V)");
        float[] table = graph.Graph.Initializer[0].ToFloats();
        return graph.Floats("V", [20, 40], [.. Enumerable.Range(0, 800).Select(i => table[(i % 40 * 20) + (i / 40)])])
            .Output("e", "y").Model();
    }
}
