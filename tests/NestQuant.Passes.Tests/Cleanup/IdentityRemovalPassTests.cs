using NestQuant.Onnx;
using NestQuant.Passes.Cleanup;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Cleanup;

public sealed class IdentityRemovalPassTests
{
    private static readonly (string, TensorValue) X = ("x", TensorValue.Random(2, 3));

    [Fact]
    public void ReadersReadTheInput()
    {
        PassRun run = Run(
            new GraphBuilder().Input("x", 2, 3).Node("a = Identity(x)").Node("b = Identity(a)").Node("y = Add(a, b)").Output("y"));
        Assert.Equal(["x", "x"], Assert.Single(run.Graph.Node).Input);
    }

    [Fact]
    public void TheProducerTakesTheNameOfTheGraphOutput()
    {
        PassRun run = Run(
            new GraphBuilder().Input("x", 2, 3).Node("a = Neg(x)").Node("y = Identity(a)").Node("z = Abs(a)").Output("y", "z"));
        Assert.Equal(["Neg", "Abs"], run.Ops);
        Assert.Equal("y", run.Graph.Node[0].Output[0]);
        Assert.Equal("y", run.Graph.Node[1].Input[0]);
    }

    [Fact]
    public void AChainBeforeAGraphOutputGoes()
    {
        PassRun run = Run(
            new GraphBuilder()
                .Input("x", 2, 3)
                .Node("a = Neg(x)")
                .Node("b = Identity(a)")
                .Node("d = Identity(b)")
                .Node("y = Identity(d)")
                .Output("y"));
        Assert.Equal(["Neg"], run.Ops);
    }

    [Fact]
    public void OneOfSeveralOutputsOfTheProducerIsRenamed()
    {
        PassRun run = Run(new GraphBuilder().Input("x", 2, 3).Int64s("sizes", 1, 2)
            .Node("a, b = Split(x, sizes)", AttributeProto.Int("axis", 1)).Node("y = Identity(b)").Node("z = Neg(a)").Output("y", "z"));
        Assert.Equal(["a", "y"], run.Graph.Node[0].Output);
    }

    [Fact]
    public void InputToOutputStays()
    {
        PassRun run = Run(new GraphBuilder().Input("x", 2, 3).Node("y = Identity(x)").Output("y"));
        Assert.False(run.Changed);
        Assert.Contains("graph input", run.ReasonFor("y"), StringComparison.Ordinal);
    }

    [Fact]
    public void InitializerToOutputStays()
    {
        PassRun run = Run(new GraphBuilder().Input("x", 2, 3).Random("k", 2).Node("y = Identity(k)").Node("z = Neg(x)").Output("y", "z"));
        Assert.False(run.Changed);
    }

    /// <summary>
    /// ONNX Runtime fuses a Conv whose weight is computed with an Add, and drops the Conv's own result: the compiler puts an Identity in
    /// between.
    /// </summary>
    [Fact]
    public void WhatKeepsAnOutputApartFromAnAddStays()
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 1, 2, 3, 3)
            .Random("k", 2, 1, 1, 1)
            .Node("a = Conv(x, k)", AttributeProto.Int("group", 2))
            .Node("y = Identity(a)")
            .Node("z = Add(a, x)")
            .Output("y", "z");
        var options = new CompilerOptions
        {
            Weights = new() { Bits = new NestedBits(8, 6) },
            Activations = new() { Mode = ActivationMode.WeightOnly },
        };
        ModelProto compiled = NestQuantCompiler.Compile(graph.Model(), options).Model;
        Assert.Single(compiled.Graph!.Node, static node => node.OpType == "Identity");
        Assert.Equal(
            "it keeps an output apart from the convolution, which ONNX Runtime would fuse with an Add",
            PassRun.Of(new IdentityRemovalPass(), compiled).About("y_identity").Reason);
    }

    [Fact]
    public void OutputToOutputStays()
    {
        PassRun run = Run(new GraphBuilder().Input("x", 2, 3).Node("a = Neg(x)").Node("y = Identity(a)").Output("a", "y"));
        Assert.False(run.Changed);
        Assert.Contains("two graph outputs", run.ReasonFor("y"), StringComparison.Ordinal);
    }

    [Fact]
    public void TheSecondOfTwoOutputsOfOneValueStays()
    {
        PassRun run = Run(
            new GraphBuilder().Input("x", 2, 3).Node("a = Neg(x)").Node("y = Identity(a)").Node("z = Identity(a)").Output("y", "z"));
        Assert.Equal(["Neg", "Identity"], run.Ops);
        Assert.Equal("y", run.Graph.Node[1].Input[0]);
    }

    [Fact]
    public void BodiesThatReadItReadTheInput()
    {
        GraphBuilder then = new GraphBuilder("then").Node("t = Neg(a)").Output("t");
        GraphBuilder otherwise = new GraphBuilder("else").Node("e = Identity(a)").Output("e");
        PassRun run = Run(
            new GraphBuilder().Input("x", 2, 3).Node("a = Identity(x)").If("y", then, otherwise).Output("y"),
            ("c", TensorValue.OfBool(true)));

        Assert.Equal(["If", "Neg", "Identity"], run.Ops);
        Assert.Equal("x", then.Graph.Node[0].Input[0]);
        Assert.Equal("x", otherwise.Graph.Node[0].Input[0]);
        Assert.Contains("graph input", run.ReasonFor("e"), StringComparison.Ordinal);
    }

    /// <summary>The value that both the body and the graph's output read gets a new name, in the body too.</summary>
    [Fact]
    public void BodiesFollowARenamedProducer()
    {
        GraphBuilder then = new GraphBuilder("then").Node("t = Neg(a)").Output("t");
        GraphBuilder otherwise = new GraphBuilder("else").Node("e = Abs(a)").Output("e");
        PassRun run = Run(
            new GraphBuilder().Input("x", 2, 3).Node("a = Exp(x)").If("y", then, otherwise).Node("z = Identity(a)").Output("y", "z"),
            ("c", TensorValue.OfBool(false)));
        Assert.Equal("z", run.Graph.Node[0].Output[0]);
        Assert.Equal("z", then.Graph.Node[0].Input[0]);
    }

    [Fact]
    public void TheConditionThatALoopPassesThroughStays()
    {
        GraphBuilder body = new GraphBuilder("body").Node("n = Neg(v)").Node("v_out = Identity(n)");
        PassRun run = Run(new GraphBuilder().Input("x", 2, 3).Loop("y", "x", body, 2, 3).Output("y"));
        Assert.Equal(["Loop", "Neg", "Identity"], run.Ops);
    }

    [Theory]
    [InlineData(7)]
    [InlineData(10)]
    [InlineData(11)]
    public void DropoutOfInferenceOpsetsGoes(long opset) => Assert.Equal(["Neg", "Abs"], Run(Dropout("d = Dropout(a)"), opset).Ops);

    [Fact]
    public void DropoutTrainsByDefaultBeforeOpset7()
    {
        PassRun run = PassRun.Of(new IdentityRemovalPass(), Dropout("d = Dropout(a)").Model(opset: 6), loads: false);
        Assert.Contains("training mode", run.ReasonFor("d"), StringComparison.Ordinal);
        Assert.False(run.Changed);
    }

    [Fact]
    public void DropoutInTestModeBeforeOpset7Goes() =>
        Assert.Equal(["Neg", "Abs"], Run(Dropout("d = Dropout(a)", AttributeProto.Int("is_test", 1)).Model(opset: 6)).Ops);

    [Theory]
    [InlineData("d = Dropout(a)")]
    [InlineData("d = Dropout(a, ratio)")]
    [InlineData("d = Dropout(a, ratio, off)")]
    [InlineData("d, mask = Dropout(a, ratio, off)")]
    public void DropoutAtInferenceGoes(string node)
    {
        Assert.Equal(["Neg", "Abs"], Run(Dropout(node), 13).Ops);
        Assert.Equal(["Neg", "Abs"], Run(Dropout(node), 22).Ops);
    }

    [Theory]
    [InlineData("d = Dropout(a, ratio, on)")]
    [InlineData("d = Dropout(a, ratio, training)")]
    public void DropoutThatMayTrainStays(string node)
    {
        PassRun run = PassRun.Of(new IdentityRemovalPass(), Dropout(node).Input(TensorDataType.Bool, "training").Model(opset: 13));
        Assert.False(run.Changed);
        Assert.Contains("training_mode", run.ReasonFor("d"), StringComparison.Ordinal);
    }

    [Fact]
    public void DropoutWhoseMaskIsReadStays()
    {
        PassRun run = Run(Dropout("d, mask = Dropout(a)").Node("m = Cast(mask)", AttributeProto.Int("to", 1)).Output("m"), 13);
        Assert.False(run.Changed);
        Assert.Contains("mask", run.ReasonFor("d"), StringComparison.Ordinal);
    }

    [Fact]
    public void DropoutWhoseMaskIsAnOutputStays() => Assert.False(Run(Dropout("d, mask = Dropout(a)").Output("mask"), 13).Changed);

    [Fact]
    public void OperatorsOfOtherDomainsStay()
    {
        ModelProto model = new GraphBuilder()
            .Input("x", 2, 3)
            .Node("y = local.Identity(x)")
            .Node("z = Neg(y)")
            .Output("z")
            .Model(domains: "local");
        model.Functions.Add(Functions.Of("Identity", "a", "b", GraphBuilder.Parse("b = Abs(a)")));
        Assert.False(Run(model).Changed);
    }

    private static GraphBuilder Dropout(string node, params AttributeProto[] attributes) => new GraphBuilder().Input("x", 2, 3)
        .Floats("ratio", [], 0.5f)
            .Constant(TensorProto.FromBytes("off", TensorDataType.Bool, [], [0]))
            .Constant(TensorProto.FromBytes("on", TensorDataType.Bool, [], [1]))
        .Node("a = Neg(x)").Node(node, attributes).Node("y = Abs(d)").Output("y");

    private static PassRun Run(GraphBuilder graph, params (string, TensorValue)[] feeds) =>
        PassRun.Preserving(new IdentityRemovalPass(), graph.Model(), 0, [X, .. feeds]);

    private static PassRun Run(GraphBuilder graph, long opset) =>
        PassRun.Preserving(new IdentityRemovalPass(), graph.Model(opset, irVersion: 7), 0, X);

    private static PassRun Run(ModelProto model) => PassRun.Of(new IdentityRemovalPass(), model);
}
