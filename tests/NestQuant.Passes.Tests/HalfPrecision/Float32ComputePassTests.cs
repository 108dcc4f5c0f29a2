using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.HalfPrecision;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.HalfPrecision;

/// <summary>Models of 16 bits that compute in float32, bit for bit as the same model in float32 does.</summary>
public sealed class Float32ComputePassTests
{
    [Theory]
    [InlineData(TensorDataType.Float16)]
    [InlineData(TensorDataType.BFloat16)]
    public void ComputesWhatTheModelInFloat32Does(TensorDataType type)
    {
        PassRun run = AssertSame(Products, type, ("x", TensorValue.Random(2, 8)));
        Assert.Equal(["Cast", "MatMul", "Add", "Relu", "Gemm", "Cast"], run.Ops);
        Assert.All(run.Graph.Initializer, static tensor => Assert.Equal(TensorDataType.Float, tensor.DataType));
        Decision decision = Assert.Single(run.Decisions);
        Assert.Equal(Decision.WholeModel, decision.Op);
        Assert.Equal($"{type.ToString().ToLowerInvariant()} computed in float32, 4 tensors", decision.Note);
    }

    [Fact]
    public void SubgraphsComputeInFloat32Too()
    {
        static ModelProto Graph() => new GraphBuilder().Input("x", 2, 3).Random("W", 3, 3)
            .If(
                "a",
                new GraphBuilder("then").Random("V", 3, 3).Node("t = MatMul(x, V)").Output("t"),
                new GraphBuilder("else").Node("e = Neg(x)").Output("e"))
            .Loop("y", "a", new GraphBuilder("body").Node("v_out = MatMul(v, W)"), 2, 3)
            .Output("y").Model();
        AssertSame(Graph, TensorDataType.Float16, ("x", TensorValue.Random(2, 3)), ("c", TensorValue.OfBool(true)));
    }

    /// <summary>What nodes yield by their own attributes.</summary>
    [Fact]
    public void TypesInAttributesAreFloat32()
    {
        static ModelProto Graph() => new GraphBuilder().Input("x", 2, 3).Random("W", 3, 3).Int64s("shape", 2, 3)
            .Node("a = MatMul(x, W)")
            .Node("b = ConstantOfShape(shape)", AttributeProto.Tensor("value", TensorProto.FromFloats("", [1], [0.5f])))
            .Node("c = Add(a, b)")
            .Node("s = Shape(c)").Node("f = Cast(s)", AttributeProto.Int("to", 1)).Node("d = ReduceMax(f)").Node("y = Mul(c, d)")
            .Output("y").Model();
        PassRun run = AssertSame(Graph, TensorDataType.Float16, ("x", TensorValue.Random(2, 3)));
        Assert.Equal(3, run.Ops.Count(static op => op == "Cast")); // those at the borders, and that of the shape
    }

    /// <summary>A converter that keeps some operators in float32 puts casts around them.</summary>
    [Fact]
    public void CastsBetweenThePartsOfAMixedModelGo()
    {
        ModelProto model = Products().InHalf();
        GraphView view = GraphView.Of(model.Graph!);
        NodeProto relu = model.Graph!.Node.Find(static node => node.OpType == "Relu")!;
        view.InsertBefore(relu, GraphBuilder.Parse("b_wide = Cast(b)", AttributeProto.Int("to", 1)));
        relu.Input[0] = "b_wide";
        relu.Output[0] = "c_wide";
        model.Graph.Node.Insert(4, GraphBuilder.Parse("c = Cast(c_wide)", AttributeProto.Int("to", 10)));
        PassRun run = PassRun.Of(new Float32ComputePass(), model);
        Assert.Equal(["Cast", "MatMul", "Add", "Relu", "Gemm", "Cast"], run.Ops);
    }

    [Fact]
    public void WeightsThatAreWidenedByCastsBecomeFloat32()
    {
        ModelProto model = new GraphBuilder().Input("x", 2, 3)
            .Constant(TensorProto.FromBytes("h", TensorDataType.Float16, [3, 2], new byte[12]))
            .Node("W = Cast(h)", AttributeProto.Int("to", 1)).Node("y = MatMul(x, W)").Output("y").Model();
        model.Graph!.Output[0].Type = new TypeProto { TensorType = new TypeProto.Tensor { ElemType = TensorDataType.Float } };
        PassRun run = PassRun.Of(new Float32ComputePass(), model);
        Assert.Equal(["MatMul"], run.Ops);
    }

    [Fact]
    public void AnInitializerThatACallerReplacesOrReceivesKeepsItsType()
    {
        ModelProto model = Products().InHalf();
        model.Graph!.Input.Add(GraphBuilder.Value(TensorDataType.Float16, "B", 8));
        model.Graph.Output.Add(GraphBuilder.Value(TensorDataType.Float16, "W", 8, 8));
        PassRun run = PassRun.Of(new Float32ComputePass(), model);
        Assert.Equal(
            ["B", "W"],
            run.Graph.Initializer.Where(static tensor => tensor.DataType == TensorDataType.Float16).Select(static t => t.Name).Order());
    }

    [Fact]
    public void AValueThatIsReadAndAnOutputIsReadInFloat32()
    {
        PassRun run = AssertSame(
            static () =>
            {
                ModelProto model = Products();
                model.Graph!.Output.Add(new ValueInfoProto { Name = "c" });
                return model;
            },
            TensorDataType.Float16,
            ("x", TensorValue.Random(2, 8)));
        Assert.Equal(3, run.Ops.Count(static op => op == "Cast"));
    }

    [Fact]
    public void AModelThatCannotIsKeptWithTheReason()
    {
        ModelProto foreign = Products().InHalf(), untyped = Products().InHalf(), typed = Products().InHalf();
        foreign.Graph!.Node.Add(GraphBuilder.Parse("z = other.Op(x)"));
        foreign.OpsetImport.Add(new OperatorSetIdProto { Domain = "other", Version = 1 });
        untyped.Graph!.Output[0].Type = null;
        NodeProto cast = GraphBuilder.Parse("q = Cast(p)", new AttributeProto { Name = "to", Type = AttributeType.Int, RefAttrName = "t" });
        FunctionProto function = Functions.Of("F", "p", "q", cast);
        function.Attribute.Add("t");
        typed.Functions.Add(function);
        Assert.Contains("Op 'z' of domain 'other'", Reason(foreign), StringComparison.Ordinal);
        Assert.Contains("output 'y' has no declared type", Reason(untyped), StringComparison.Ordinal);
        Assert.Contains("a parameter of the enclosing function", Reason(typed), StringComparison.Ordinal);

        static string Reason(ModelProto model) =>
            Assert.Single(PassRun.Of(new Float32ComputePass(), model, loads: false).Decisions).Reason!;
    }

    [Fact]
    public void AModelWithoutWeightsStays()
    {
        ModelProto model = new GraphBuilder().Input("x", 2, 3).Node("y = Relu(x)").Output("y").Model().InHalf();
        PassRun run = PassRun.Of(new Float32ComputePass(), model);
        Assert.False(run.Changed);
        Assert.Empty(run.Decisions);
    }

    [Fact]
    public void AWeightBeyondTheRangeOfFloat16IsAnError()
    {
        ModelProto model = Products().InHalf();
        model.Graph!.Initializer[0].RawData = Enumerable.Repeat((byte[])[0x00, 0x7C], 64).SelectMany(static half => half).ToArray();
        ModelException failure = Assert.Throws<ModelException>(
            () => NestQuantCompiler.Compile(model, new CompilerOptions { Weights = new() { Bits = new(8, 6) } }));
        Assert.Contains("weight 'W' of node 'a' is Infinity at element 0", failure.Message, StringComparison.Ordinal);
    }

    /// <summary>Random graphs with subgraphs, whose types only the nodes tell.</summary>
    [Fact]
    public void RandomGraphsComputeWhatTheyDoInFloat32()
    {
        CsCheck.Check.Sample(
            RandomGraphTests.Models,
            static build =>
            {
                ModelProto half = build().InHalf();
                (string, TensorValue)[] feeds = [.. RandomGraphTests.Feeds.Select(static f => (f.Name, f.Value.Rounded()))];
                Dictionary<string, TensorValue> expected = ModelRunner.Run(build().Rounded(), feeds);
                new Float32ComputePass().Run(new ModelContext(half));
                Dictionary<string, TensorValue> actual = ModelRunner.Run(
                    half, [.. feeds.Select(static f => (f.Item1, f.Item2.InHalf()))]);
                foreach ((string name, TensorValue value) in expected)
                    Closeness.AssertClose(value.InHalf().Widened(), actual[name].Widened(), 1e-3f);
            },
            iter: 40);
    }

    private static ModelProto Products() => new GraphBuilder().Input("x", 2, 8).Random("W", 8, 8).Random("B", 8).Random("V", 8, 4)
        .Random("C", 4).Node("a = MatMul(x, W)").Node("b = Add(a, B)").Node("c = Relu(b)").Node("y = Gemm(c, V, C)").Output("y").Model();

    private static PassRun AssertSame(Func<ModelProto> build, TensorDataType type, params (string Name, TensorValue Value)[] feeds)
    {
        Dictionary<string, TensorValue> expected = ModelRunner.Run(
            build().Rounded(type), [.. feeds.Select(feed => (feed.Name, feed.Value.Rounded(type)))]);
        PassRun run = PassRun.Of(new Float32ComputePass(), build().InHalf(type));
        Dictionary<string, TensorValue> actual = ModelRunner.Run(
            run.Model, [.. feeds.Select(feed => (feed.Name, feed.Value.InHalf(type)))]);
        foreach ((string name, TensorValue value) in expected) Assert.Equal(value.InHalf(type).Bytes, actual[name].Bytes);
        return run;
    }
}
