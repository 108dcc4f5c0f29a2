using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Integer;
using NestQuant.Passes.Integer.ActivationQuantization;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Integer;

/// <summary>Every integer form against the quantize-dequantize graph that it replaces, in ONNX Runtime.</summary>
public sealed class IntegerOperatorPassTests
{
    public static TheoryData<string> Forms => [.. IntegerForm.All.Keys];

    [Theory]
    [MemberData(nameof(Forms))]
    public void TheIntegerFormGivesWhatTheFloatOperatorGave(string name)
    {
        IntegerForm form = IntegerForm.All[name];
        TensorValue expected = QdqGraph.RunAsWritten(form.Model(), form.Feeds)["result"];
        PassRun run = PassRun.Of(new IntegerOperatorPass(), form.Model());

        Assert.Equal(form.Expected, run.Ops.Where(static op => op is not ("QuantizeLinear" or "DequantizeLinear")));
        Assert.Single(run.Ops, static op => op == "DequantizeLinear");
        Assert.All(run.Decisions, static decision => Assert.True(decision.Rewritten, decision.Reason));
        float step = form.SameParameters ? form.InputScale : form.Scale;
        float difference = QdqGraph.LargestDifference(expected, ModelRunner.Run(run.Model, form.Feeds)["result"]);
        Assert.True(difference <= (form.Steps + 0.01f) * step, FormattableString.Invariant($"{difference / step} steps"));
    }

    [Fact]
    public void ATableSaysWhatItIs()
    {
        Assert.Equal("Mul(x, Sigmoid(x))", FunctionOf("silu"));
        Assert.Equal("Mul(x, Sigmoid(x))", FunctionOf("silu-with-quantized-gate"));
        Assert.Equal("Clip(x, -0.5, 0.6)", FunctionOf("clip"));
        Assert.Equal("LeakyRelu(x, alpha=0.3)", FunctionOf("leaky-relu"));
        Assert.Equal("Mul(Mul(x, Add(Erf(Div(x, 1.4142135)), 1)), 0.5)", FunctionOf("gelu-of-parts"));

        static string FunctionOf(string form) =>
            PassRun.Of(new IntegerOperatorPass(), IntegerForm.All[form].Model())
                .Model.AllNodes()
                .Single(static node => node.OpType == "QLinearLookup")
                .GetString("function", "");
    }

    [Fact]
    public void EqualTablesAreOneInitializer()
    {
        ModelProto model = new GraphBuilder().Input("a", 4).Input("b", 4).Pair("a", "x", 0.01f, 100).Pair("b", "z", 0.01f, 100)
            .Node("s = Sigmoid(x)").Node("t = Sigmoid(z)").Pair("s", "y", 1f / 256, 0).Pair("t", "v", 1f / 256, 0).Output("y", "v").Model();
        Assert.Single(PassRun.Of(new IntegerOperatorPass(), model).Graph.Initializer, static tensor => tensor.ElementCount == 256);
    }

    [Fact]
    public void QuantizersOfOneValueAreShared()
    {
        ModelProto model = new GraphBuilder()
            .Input("a", 4)
            .Pair("a", "x", 0.01f, 100)
            .Pair("a", "z", 0.01f, 100)
            .Node("s = Concat(x, z)", AttributeProto.Int("axis", 0))
            .Pair("s", "y", 0.01f, 100)
            .Output("y")
            .Model();
        PassRun run = PassRun.Preserving(new IntegerOperatorPass(), model, 0, ("a", TensorValue.Random(4)));
        Assert.Equal(["QuantizeLinear", "Concat", "DequantizeLinear"], run.Ops);
    }

    [Fact]
    public void AShapeIsReadFromTheIntegers()
    {
        ModelProto model = new GraphBuilder()
            .Input("a", 2, 3, 2)
            .Pair("a", "x", 0.01f, 100)
            .Node("n = Shape(x)")
            .Int64s("zero", 0)
            .Node("b = Gather(n, zero)")
            .Int64s("rest", -1)
            .Node("s = Concat(b, rest)", AttributeProto.Int("axis", 0))
                .Node("f = Reshape(x, s)")
                .Pair("f", "y", 0.01f, 100)
                .Output("y")
                .Model();
        PassRun run = PassRun.Preserving(new IntegerOperatorPass(), model, 0, ("a", TensorValue.Random(2, 3, 2)));
        Assert.Single(run.Ops, static op => op == "DequantizeLinear");
    }

    [Fact]
    public void AQuantizedGraphOutputKeepsItsName()
    {
        ModelProto model = new GraphBuilder().Input("a", 4).Pair("a", "x", 0.01f, 100).Pair("x", "y", 0.01f, 100).Output("y_q").Model();
        PassRun run = PassRun.Preserving(new IntegerOperatorPass(), model, 0, ("a", TensorValue.Random(4)));
        Assert.DoesNotContain("DequantizeLinear", run.Ops);
    }

    [Theory]
    [InlineData("y = Softmax(x)", "Softmax has no integer form")]
    [InlineData("y = Sub(x, z)", "it is not a function of one quantized tensor alone, nor of every channel of one")]
    [InlineData("y = Add(x, perElement)", "it is not a function of one quantized tensor alone, nor of every channel of one")]
    [InlineData("y = PRelu(free, perChannel)", "its input 'free' is not quantized")]
    [InlineData("y = Div(x, small)", "its factors are too large for float32")]
    [InlineData("y = Add(x, free)", "its input 'free' is not quantized")]
    [InlineData("y = ReduceMean(x, channels)", "its axes are not all the spatial ones")]
    [InlineData("y = Resize(x, , scales)", "it interpolates", "mode", "cubic")]
    [InlineData("y = Pad(x, pads, far)", "its padding value is out of the range of 'x_q'")]
    [InlineData("y = Reciprocal(x)", null)]
    public void AFloatOperatorThatStaysHasItsReason(string node, string? reason, string? attribute = null, string? value = null)
    {
        AttributeProto[] attributes = attribute is null ? [] : [AttributeProto.String(attribute, value!)];
        ModelProto model = new GraphBuilder()
            .Input("a", 1, 6, 4, 4)
            .Input("b", 1, 6, 4, 4)
            .Input("free", 1, 6, 4, 4)
            .Random("perChannel", 6, 1, 1)
            .Random("perElement", 6, 4, 4)
            .Floats("small", [1, 1, 4], 1, 1e-38f, 1, 1)
            .Int64s("channels", 1)
            .Floats("scales", [4], 1, 1, 2, 2)
            .Int64s("pads", 0, 0, 1, 1, 0, 0, 1, 1).Floats("far", [], 9)
            .Pair("a", "x", 0.01f, 100)
                .Pair("b", "z", 0.02f, 100)
                .Node("n: " + node, attributes)
                .Pair("y", "result", 0.1f, 50)
                .Output("result")
                .Model(opset: 18);
        PassRun run = PassRun.Of(new IntegerOperatorPass(), model);
        Assert.Equal(reason, run.About("n").Reason);
    }

    [Fact]
    public void AFloatResultThatIsNeededStaysFloat()
    {
        ModelProto model = new GraphBuilder()
            .Input("a", 1, 2, 4, 4)
            .Pair("a", "x", 0.01f, 100)
            .Node("n: y = GlobalAveragePool(x)")
            .Pair("y", "result", 0.01f, 50)
            .Output("result", "y")
            .Model();
        PassRun run = PassRun.Of(new IntegerOperatorPass(), model);
        Assert.False(run.Changed);
        Assert.Equal("its result 'y' is an output of the graph", run.ReasonFor("n"));

        model = new GraphBuilder()
            .Input("a", 1, 2, 4, 4)
            .Pair("a", "x", 0.01f, 100)
            .Node("n: y = GlobalAveragePool(x)")
            .Pair("y", "result", 0.01f, 50)
            .Pair("y", "again", 0.02f, 50)
            .Output("result", "again")
            .Model();
        Assert.Equal(
            "its result is also quantized with other parameters, by 'again_q'",
            PassRun.Of(new IntegerOperatorPass(), model).ReasonFor("n"));

        model = new GraphBuilder()
            .Input("a", 1, 2, 4, 4)
            .Pair("a", "x", 0.01f, 100)
            .Node("n: y = GlobalAveragePool(x)")
            .Pair("y", "result", 0.01f, 50)
            .Node("s: v = Softmax(y)")
            .Output("result", "v")
            .Model();
        Assert.Equal("its float result is also read by Softmax 's'", PassRun.Of(new IntegerOperatorPass(), model).ReasonFor("n"));
    }

    [Theory]
    [InlineData(TensorDataType.Int8)]
    [InlineData(TensorDataType.UInt16)]
    public void OtherTypesThanUInt8StayAsTheyAre(TensorDataType type)
    {
        ModelProto model = new GraphBuilder()
            .Input("a", 4)
            .Floats("s", [], 0.01f)
            .Constant(TensorProto.FromBytes("z", type, [], new byte[type == TensorDataType.Int8 ? 1 : 2]))
            .Node("q = QuantizeLinear(a, s, z)")
                .Node("x = DequantizeLinear(q, s, z)")
                .Node("r = Relu(x)")
                .Node("p = QuantizeLinear(r, s, z)")
                .Node("y = DequantizeLinear(p, s, z)")
                .Output("y")
                .Model(opset: 21);
        Assert.False(PassRun.Of(new IntegerOperatorPass(), model).Changed);
    }
}
