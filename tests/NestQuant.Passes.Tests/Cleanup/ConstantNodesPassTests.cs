using System.Text;
using NestQuant.Onnx;
using NestQuant.Passes.Cleanup;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Cleanup;

public sealed class ConstantNodesPassTests
{
    private static readonly (string, TensorValue) X = ("x", TensorValue.Random(2, 3));

    public static TheoryData<string> Forms => ["value", "value_float", "value_floats", "value_int", "value_ints"];

    [Theory]
    [MemberData(nameof(Forms))]
    public void EveryNumericFormBecomesAnInitializer(string form)
    {
        AttributeProto attribute = form switch
        {
            "value" => AttributeProto.Tensor("value", TensorProto.FromFloats("", [3], [1, 2, 3])),
            "value_float" => AttributeProto.Float("value_float", 2.5f),
            "value_floats" => AttributeProto.FloatList("value_floats", 1, 2, 3),
            "value_int" => AttributeProto.Int("value_int", 7),
            _ => AttributeProto.IntList("value_ints", 4, 5, 6),
        };
        ModelProto model = new GraphBuilder().Input("x", 2, 3)
            .Node("k = Constant()", attribute)
                .Node("f = Cast(k)", AttributeProto.Int("to", (long)TensorDataType.Float))
                .Node("y = Add(x, f)")
            .Output("y").Model();

        PassRun run = PassRun.Preserving(new ConstantNodesPass(), model, 0, X);

        Assert.Equal(["Cast", "Add"], run.Ops);
        Assert.True(run.HasInitializer("k"));
        Assert.True(run.About("k").Rewritten);
    }

    /// <summary>Models of before IR 4 list their initializers as inputs; ONNX Runtime takes them without.</summary>
    [Fact]
    public void OldModelsStillLoad()
    {
        ModelProto model = new GraphBuilder()
            .Input("x", 2, 3)
            .Node("k = Constant()", AttributeProto.Tensor("value", TensorProto.FromFloats("", [3], [1, 2, 3])))
            .Node("y = Add(x, k)")
            .Output("y")
            .Model(opset: 7, irVersion: 3);
        Assert.Equal(["Add"], PassRun.Preserving(new ConstantNodesPass(), model, 0, X).Ops);
    }

    [Fact]
    public void ConstantsOfBodiesBecomeInitializersOfTheBodies()
    {
        GraphBuilder then = new GraphBuilder("then")
            .Node("k = Constant()", AttributeProto.Float("value_float", 2))
            .Node("t = Mul(x, k)")
            .Output("t");
        GraphBuilder otherwise = new GraphBuilder("else").Node("e = Neg(x)").Output("e");
        ModelProto model = new GraphBuilder().Input("x", 2, 3).If("y", then, otherwise).Output("y").Model();

        PassRun run = PassRun.Preserving(new ConstantNodesPass(), model, 0, X, ("c", TensorValue.OfBool(true)));

        Assert.Equal("k", Assert.Single(then.Graph.Initializer).Name);
        Assert.Empty(run.Graph.Initializer);
    }

    [Fact]
    public void AConstantThatABodyReadsStaysVisibleThere()
    {
        GraphBuilder then = new GraphBuilder("then").Node("t = Mul(x, k)").Output("t");
        GraphBuilder otherwise = new GraphBuilder("else").Node("e = Div(x, k)").Output("e");
        ModelProto model = new GraphBuilder()
            .Input("x", 2, 3)
            .Node("k = Constant()", AttributeProto.Float("value_float", 2))
            .If("y", then, otherwise)
            .Output("y")
            .Model();

        PassRun.Preserving(new ConstantNodesPass(), model, 0, X, ("c", TensorValue.OfBool(false)));
    }

    [Fact]
    public void AGraphOutputStays()
    {
        ModelProto model = new GraphBuilder()
            .Input("x", 2, 3)
            .Node("k = Constant()", AttributeProto.Float("value_float", 2))
            .Node("y = Neg(x)")
            .Output("y", "k")
            .Model();

        PassRun run = PassRun.Preserving(new ConstantNodesPass(), model, 0, X);

        Assert.False(run.Changed);
        Assert.Contains("output of the graph", run.ReasonFor("k"), StringComparison.Ordinal);
    }

    [Fact]
    public void StringsStay()
    {
        var text = new AttributeProto { Name = "value_string", Type = AttributeType.String, S = Encoding.UTF8.GetBytes("a") };
        ModelProto model = new GraphBuilder().Input("x", 2, 3)
            .Node("s = Constant()", text)
                .Node("i = Cast(s)", AttributeProto.Int("to", (long)TensorDataType.String))
                .Node("n = Shape(i)")
                .Node("f = Cast(n)", AttributeProto.Int("to", (long)TensorDataType.Float))
            .Node("y = Neg(x)").Output("y", "f").Model();

        PassRun run = PassRun.Of(new ConstantNodesPass(), model);

        Assert.False(run.Changed);
        Assert.Contains("numeric", run.ReasonFor("s"), StringComparison.Ordinal);
    }

    /// <summary>A local function has no initializers, so its constants are nodes.</summary>
    [Fact]
    public void ConstantsOfLocalFunctionsStay()
    {
        ModelProto model = new GraphBuilder().Input("x", 2, 3).Node("y = local.Twice(x)").Output("y").Model(domains: "local");
        model.Functions.Add(
            Functions.Of(
                "Twice",
                "a",
                "b",
                GraphBuilder.Parse("k = Constant()", AttributeProto.Float("value_float", 2)),
                GraphBuilder.Parse("b = Mul(a, k)")));

        Assert.False(PassRun.Preserving(new ConstantNodesPass(), model, 0, X).Changed);
    }
}
