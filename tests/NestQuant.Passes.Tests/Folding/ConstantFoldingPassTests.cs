using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Passes.Cleanup;
using NestQuant.Passes.Folding;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Folding;

public sealed class ConstantFoldingPassTests
{
    private static readonly (string, TensorValue) X = ("x", TensorValue.Random(2, 3));

    /// <summary>What PyTorch's exporter makes of repeat_interleave over constants.</summary>
    [Fact]
    public void AChainOfShapeArithmeticBecomesOneInitializer()
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 2, 3)
            .Floats("k", [1, 3], 1, 2, 3)
            .Int64s("two", 2)
            .Int64s("minus", -1)
            .Int64s("target", 2, 3)
            .Node("s = Shape(target)")
                .Node("ones = ConstantOfShape(s)", AttributeProto.Tensor("value", TensorProto.FromInt64s("", [1], [1])))
            .Node("m = Mul(ones, minus)")
                .Node("q = Equal(target, m)")
                .Node("w = Where(q, ones, target)")
                .Node("e = Expand(k, w)")
                .Node("y = Add(x, e)")
                .Output("y");
        PassRun run = Fold(graph);
        Assert.Equal(["Add"], run.Ops);
        Assert.Equal([1, 2, 3, 1, 2, 3], run.Graph.Initializer.Single(static tensor => tensor.Name == "e").ToFloats());
        Assert.Equal(6, run.Decisions.Count(static decision => decision.Rewritten));
    }

    [Fact]
    public void EveryResultThatIsReadIsKept()
    {
        GraphBuilder graph = new GraphBuilder().Input("x", 2, 3).Floats("k", [2, 3], 1, 2, 3, 4, 5, 6).Int64s("sizes", 1, 2)
            .Node("a, b = Split(k, sizes)", AttributeProto.Int("axis", 1))
                .Node("n = Neg(a)")
                .Node("p = Add(x, n)")
                .Node("y = Add(p, a)")
                .Output("y");
        Assert.Equal(
            ["n", "a"], Fold(graph).Graph.Node.SelectMany(static node => node.Input).Where(static input => input is "a" or "b" or "n"));
        Assert.False(graph.Graph.Initializer.Exists(static tensor => tensor.Name == "b"));
    }

    [Fact]
    public void TransposedWeightsAreFolded() =>
        Assert.Equal(
            ["MatMul"],
            Fold(
                new GraphBuilder()
                    .Input("x", 2, 3)
                    .Random("W", 4, 3)
                    .Node("t = Transpose(W)", AttributeProto.IntList("perm", 1, 0))
                    .Node("y = MatMul(x, t)")
                    .Output("y")).Ops);

    [Fact]
    public void ResultsAreVisibleInBodies()
    {
        GraphBuilder then = new GraphBuilder("then").Node("t = Mul(x, n)").Output("t");
        GraphBuilder otherwise = new GraphBuilder("else").Node("q = Neg(n)").Node("e = Mul(x, q)").Output("e");
        PassRun run = Fold(
            new GraphBuilder().Input("x", 2, 3).Random("k", 3).Node("n = Neg(k)").If("y", then, otherwise).Output("y"),
            ("c", TensorValue.OfBool(false)));
        Assert.Equal(["If", "Mul", "Mul"], run.Ops);
        Assert.True(run.HasInitializer("n"));
        Assert.Equal("q", Assert.Single(otherwise.Graph.Initializer).Name);
    }

    [Theory]
    [InlineData("r = RandomNormalLike(k)")]
    [InlineData("r = RandomUniformLike(k)")]
    [InlineData("r = Bernoulli(k)")]
    [InlineData("r = Dropout(k, half, on)")]
    public void RandomResultsStayRandom(string node)
    {
        ModelProto model = new GraphBuilder()
            .Input("x", 2, 3)
            .Floats("k", [3], 0.5f, 0.5f, 0.5f)
            .Floats("half", [], 0.5f)
            .Constant(TensorProto.FromBytes("on", TensorDataType.Bool, [], [1]))
            .Node(node).Node("y = Add(x, r)").Output("y").Model();
        PassRun run = PassRun.Of(new ConstantFoldingPass(), model);
        Assert.False(run.Changed);
        Assert.Contains("is not folded", run.ReasonFor("r"), StringComparison.Ordinal);
    }

    [Fact]
    public void QuantizedConstantsStayQuantized()
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 2, 3)
            .Constant(TensorProto.FromBytes("q", TensorDataType.Int8, [3], [1, 2, 3]))
            .Floats("s", [], 0.5f)
            .Node("k = DequantizeLinear(q, s)").Node("y = Add(x, k)").Output("y");
        Assert.False(Fold(graph).Changed);
    }

    [Fact]
    public void GraphOutputsStayNodes()
    {
        PassRun run = Fold(new GraphBuilder().Input("x", 2, 3).Random("k", 3).Node("n = Neg(k)").Node("y = Add(x, n)").Output("y", "n"));
        Assert.False(run.Changed);
        Assert.Contains("output of the graph", run.ReasonFor("n"), StringComparison.Ordinal);
    }

    [Fact]
    public void OverridableInputsAreNotConstants() =>
        Assert.False(
            Fold(new GraphBuilder().Input("x", 2, 3).Input("k", 3).Random("k", 3).Node("n = Neg(k)").Node("y = Add(x, n)").Output("y"))
                .Changed);

    /// <summary>A slow machine must not emit another model than a fast one: what takes too long is no reason to keep a node.</summary>
    [Fact]
    public void TooMuchTimeIsAnError()
    {
        ModelProto model = new GraphBuilder().Input("x", 2).Floats("k", [2], 1, 2)
            .Node("r = Neg(k)").Node("y = Add(x, r)").Output("y").Model();
        ModelException error = Assert.Throws<ModelException>(() => PassRun.Of(new ConstantFoldingPass(new AnHourPerLook()), model));
        Assert.Contains("'r' (Neg)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AHugeResultWouldMakeTheModelBigger()
    {
        ModelProto model = new GraphBuilder()
            .Input("x", 3)
            .Int64s("shape", 1 << 20, 3)
            .Node("z = ConstantOfShape(shape)")
            .Node("y = Add(x, z)")
            .Output("y")
            .Model();
        PassRun run = PassRun.Of(new ConstantFoldingPass(), model, loads: false);
        Assert.False(run.Changed);
        Assert.Contains("bigger", run.ReasonFor("z"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("z = ConstantOfShape(shape)")]
    [InlineData("z = Expand(one, shape)")]
    [InlineData("s = Shape(W)", "z = ConstantOfShape(s)")]
    [InlineData("e = Expand(one, shape)", "z = Neg(e)")]
    public void APadStaysANode(params string[] nodes)
    {
        GraphBuilder graph = new GraphBuilder().Input("x", 16, 3).Int64s("shape", 16, 32).Floats("one", [1], 1).Random("W", 16, 32);
        foreach (string node in nodes) graph.Node(node);
        ModelProto model = graph.Node("p = Concat(x, z)", AttributeProto.Int("axis", 1)).Node("y = Add(p, v)").Random("v", 35)
            .Node("w = MatMul(x, t)").Random("t", 3, 4).Node("u = Transpose(W)").Node("m = MatMul(y, n)").Random("n", 35, 16)
            .Node("o = MatMul(m, W)").Node("q = MatMul(o, u)").Output("w", "q").Model();
        PassRun run = PassRun.Preserving(new ConstantFoldingPass(), model, 0, ("x", TensorValue.Random(16, 3)));
        Assert.False(run.HasInitializer("z"));
        Assert.True(run.HasInitializer("u"));
        Assert.Contains("of 2048 bytes would make the model bigger", run.ReasonFor("z"), StringComparison.Ordinal);
        Assert.Contains(run.Ops, static op => op is "ConstantOfShape" or "Expand");
    }

    /// <summary>The selection from a table saves 15 KB: room for the smaller pad.</summary>
    [Fact]
    public void PadsAreFoldedWhereFoldingSavesAsMuch()
    {
        ModelProto model = new GraphBuilder().Input("x", 16, 3).Int64s("small", 16, 8).Int64s("large", 16, 400).Random("table", 1000, 4)
            .Int64s("rows", 1, 2, 3).Node("k = Gather(table, rows)").Node("w = MatMul(x, k)").Node("a = ConstantOfShape(small)")
            .Node("b = ConstantOfShape(large)").Node("y = Concat(w, a, b)", AttributeProto.Int("axis", 1)).Output("y").Model();
        PassRun run = PassRun.Preserving(new ConstantFoldingPass(), model, 0, ("x", TensorValue.Random(16, 3)));
        Assert.Equal(["MatMul", "ConstantOfShape", "Concat"], run.Ops);
        Assert.Contains("of 25600 bytes would make the model bigger", run.ReasonFor("b"), StringComparison.Ordinal);
    }

    /// <summary>The size is itself the result of constant nodes: it must be known before anything of that size is made.</summary>
    [Theory]
    [InlineData("z = ConstantOfShape(size)")]
    [InlineData("z = Expand(one, size)")]
    [InlineData("z = Tile(one, size)")]
    public void AHugeResultOfComputedSizeStays(string node)
    {
        ModelProto model = new GraphBuilder().Input("x", 1).Int64s("half", 1 << 20).Floats("one", [1], 1)
            .Node("size = Mul(half, half)").Node(node).Node("y = Add(x, z)").Output("y").Model();
        PassRun run = PassRun.Of(new ConstantFoldingPass(), model, loads: false);
        Assert.True(run.Changed);
        Assert.Equal([node.Split(" = ")[1].Split('(')[0], "Add"], run.Ops);
        Assert.Contains("bigger", run.ReasonFor("z"), StringComparison.Ordinal);
    }

    /// <summary>Every operator that makes much out of little, whatever it is called.</summary>
    [Theory]
    [InlineData("z = Pad(m, pads)")]
    [InlineData("z = Resize(image, , scales)")]
    [InlineData("z = MatMul(column, row)")]
    [InlineData("z = OneHot(index, depth, values)")]
    [InlineData("z = HannWindow(depth)")]
    [InlineData("z = Range(zero, depth, one)")]
    public void AHugeResultIsNotComputed(string node)
    {
        GraphBuilder graph = new GraphBuilder().Input("x", 1).Random("m", 4, 4).Int64s("pads", 0, 0, 40_000, 40_000)
            .Random("image", 1, 1, 4, 4).Floats("scales", [4], 1, 1, 10_000, 10_000).Random("column", 60_000, 1).Random("row", 1, 60_000)
            .Int64s("index", new long[1000]).Constant(TensorProto.FromInt64s("depth", [], [3_000_000])).Floats("values", [2], 0, 1)
            .Constant(TensorProto.FromInt64s("zero", [], [0])).Constant(TensorProto.FromInt64s("one", [], [1]));
        PassRun run = PassRun.Of(
            new ConstantFoldingPass(),
            graph.Node(node)
                .Node("c = Cast(z)", AttributeProto.Int("to", 1))
                .Node("r = ReduceMax(c)")
                .Node("y = Add(x, r)")
                .Output("y")
                .Model(),
            loads: false);
        Assert.False(run.Changed);
        Assert.Contains("bigger", run.ReasonFor("z"), StringComparison.Ordinal);
    }

    [Fact]
    public void AChainThatGrowsAtEveryStepStopsWhereItIsLarge()
    {
        GraphBuilder graph = new GraphBuilder().Input("x", 1).Random("k0", 64);
        // The two inputs are together as large as the result, so that no step looks like growth.
        for (int i = 0; i < 40; i++)
            graph.Node($"a{i} = Neg(k{i})").Node($"b{i} = Abs(k{i})").Node($"k{i + 1} = Concat(a{i}, b{i})", AttributeProto.Int("axis", 0));
        ModelProto model = graph.Node("m = ReduceMax(k40)").Node("y = Add(x, m)").Output("y").Model();
        Assert.True(new ConstantFoldingPass().Run(new ModelContext(model)).Changed);
        Assert.InRange(model.Graph!.Initializer.Sum(static tensor => tensor.ByteCount), 1 << 20, 1 << 26);
    }

    /// <summary>The binding of ONNX Runtime would say that there are five elements: it cuts extents to 32 bits.</summary>
    [Fact]
    public void AnExtentPast32BitsIsNotMistakenForASmallOne()
    {
        GraphBuilder graph = new GraphBuilder().Input("x", 1).Constant(TensorProto.FromInt64s("size", [], [(1L << 32) + 5]));
        Assert.False(
            PassRun.Of(
                new ConstantFoldingPass(),
                graph.Node("z = HannWindow(size)").Node("r = ReduceMax(z)").Node("y = Add(x, r)").Output("y").Model(),
                loads: false).Changed);
    }

    [Theory]
    [InlineData("z = MaxUnpool(image, index, size)")] // its rank is not inferred
    [InlineData("z = NonZero(image)")]
    public void AResultOfUnknownSizeIsNotComputed(string node)
    {
        AttributeProto[] attributes = node.Contains("Unpool", StringComparison.Ordinal)
            ? [AttributeProto.IntList("kernel_shape", 2, 2)]
            : [];
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 1)
            .Random("image", 1, 1, 2, 2)
            .Constant(TensorProto.FromInt64s("index", [1, 1, 2, 2], [0, 1, 2, 3]))
            .Int64s("size", 1, 1, 40_000, 40_000);
        PassRun run = PassRun.Of(
            new ConstantFoldingPass(),
            graph.Node(node, attributes)
                .Node("c = Cast(z)", AttributeProto.Int("to", 1))
                .Node("r = ReduceMax(c)")
                .Node("y = Add(x, r)")
                .Output("y")
                .Model(),
            loads: false);
        Assert.False(run.Changed);
        Assert.Contains("not known before it is computed", run.ReasonFor("z"), StringComparison.Ordinal);
    }

    [Fact]
    public void ANodeThatFailsLeavesTheOthersFoldable()
    {
        ModelProto model = new GraphBuilder().Input("x", 2, 3).Random("k", 3).Random("l", 4)
            .Node("a = Neg(k)")
                .Node("bad = Add(k, l)")
                .Node("d = Abs(a)")
                .Node("y = Add(x, d)")
                .Node("z = Add(x, bad)")
                .Output("y", "z")
                .Model();
        PassRun run = PassRun.Of(new ConstantFoldingPass(), model, loads: false);
        Assert.Equal(["Add", "Add", "Add"], run.Ops);
        Assert.True(run.HasInitializer("d"));
        Assert.Contains("ONNX Runtime could not evaluate it", run.ReasonFor("bad"), StringComparison.Ordinal);
    }

    [Fact]
    public void StringsAreKept()
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 2, 3)
            .Random("k", 3)
            .Node("n = Neg(k)")
            .Node("s = Cast(n)", AttributeProto.Int("to", (long)TensorDataType.String))
            .Node("l = Shape(s)").Node("f = Cast(l)", AttributeProto.Int("to", 1)).Node("y = Add(x, f)").Output("y");
        PassRun run = Fold(graph);
        Assert.DoesNotContain("Shape", run.Ops);
    }

    [Fact]
    public void AStringResultThatIsReadStaysANode()
    {
        ModelProto model = new GraphBuilder()
            .Input(TensorDataType.String, "x", 3)
            .Random("k", 3)
            .Node("n = Neg(k)")
            .Node("s = Cast(n)", AttributeProto.Int("to", (long)TensorDataType.String))
            .Node("y = Equal(x, s)").Output("y").Model(opset: 19, irVersion: 9);
        PassRun run = PassRun.Of(new ConstantFoldingPass(), model);
        Assert.Equal(["Cast", "Equal"], run.Ops);
        Assert.Contains("not a numeric tensor", run.ReasonFor("s"), StringComparison.Ordinal);
    }

    [Fact]
    public void NodesWithBodiesStay()
    {
        GraphBuilder then = new GraphBuilder("then").Node("t = Neg(k)").Output("t"),
            otherwise = new GraphBuilder("else").Node("e = Abs(k)").Output("e");
        ModelProto model = new GraphBuilder()
            .Input("x", 2, 3)
            .Random("k", 3)
            .Constant(TensorProto.FromBytes("yes", TensorDataType.Bool, [], [1]))
            .Node("b = If(yes)", AttributeProto.Graph("then_branch", then.Graph), AttributeProto.Graph("else_branch", otherwise.Graph))
                .Node("y = Add(x, b)")
                .Output("y")
                .Model();
        PassRun run = PassRun.Preserving(new ConstantFoldingPass(), model, 0, X);
        Assert.Contains("subgraphs", run.ReasonFor("b"), StringComparison.Ordinal);
    }

    [Fact]
    public void OperatorsOfOtherDomainsStay()
    {
        ModelProto model = new GraphBuilder()
            .Input("x", 2, 3)
            .Random("k", 3)
            .Node("a = local.Twice(k)")
            .Node("n = Neg(k)")
            .Node("p = Add(x, n)")
            .Node("y = Add(p, a)")
            .Output("y")
            .Model(domains: "local");
        model.Functions.Add(Functions.Of("Twice", "i", "o", GraphBuilder.Parse("o = Add(i, i)")));
        PassRun run = PassRun.Preserving(new ConstantFoldingPass(), model, 0, X);
        Assert.Equal(["Twice", "Add", "Add", "Add"], run.Ops);
        Assert.Contains("'local'", run.ReasonFor("a"), StringComparison.Ordinal);
    }

    /// <summary>Many element types and an empty tensor pass through ONNX Runtime and back.</summary>
    [Theory]
    [InlineData(TensorDataType.Double)]
    [InlineData(TensorDataType.Float16)]
    [InlineData(TensorDataType.Int8)]
    [InlineData(TensorDataType.UInt16)]
    [InlineData(TensorDataType.Bool)]
    public void ElementTypesSurvive(TensorDataType type)
    {
        GraphBuilder graph = new GraphBuilder().Input("x", 2, 3).Floats("k", [3], 0, 1, 2).Int64s("none")
            .Node("a = Cast(k)", AttributeProto.Int("to", (long)type))
                .Node("b = Reshape(a, three)")
                .Node("y = CastLike(x, b)")
                .Node("g = Gather(k, none)")
                .Node("h = Concat(g, k)", AttributeProto.Int("axis", 0))
                .Node("z = Add(x, h)")
            .Int64s("three", 3).Output("y", "z");
        Assert.Equal(["CastLike", "Add"], Fold(graph).Ops);
    }

    [Theory]
    [InlineData("digits-gnl")]
    [InlineData("digits-gnl-sparse")]
    public void PyTorchExportsGiveTheSameResults(string name)
    {
        ModelProto model = GoldenModels.GoldenModel.Load(name);
        new ConstantNodesPass().Run(new(model));
        int before = model.Graph!.Node.Count;
        PassRun run = PassRun.Preserving(new ConstantFoldingPass(), model, 0, ("input", TensorValue.Random(4, 1, 8, 8)));
        Assert.InRange(run.Graph.Node.Count, 1, before / 3);
    }

    private static PassRun Fold(GraphBuilder graph, params (string, TensorValue)[] feeds) =>
        PassRun.Preserving(new ConstantFoldingPass(), graph.Model(), 0, [X, .. feeds]);

    private sealed class AnHourPerLook : TimeProvider
    {
        private long _hours;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => 3600 * _hours++;
    }
}
