using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Nesting;

/// <summary>What the pass takes, what it leaves and why, and the graph that it writes.</summary>
public sealed class NestingPassTests
{
    [Fact]
    public void AConvBecomesFourNodes()
    {
        PassRun run = Nest(new GraphBuilder().Input("x", 1, 3, 5, 5).Random("W", 4, 3, 3, 3).Node("first: y = Conv(x, W)").Output("y"));
        Assert.Equal(["DynamicQuantizeLinear", "Transpose", "NestedConv", "Transpose"], run.Ops);
        Assert.Equal(["W_high", "W_low", "W_scale", "nest_bits"], run.Graph.Initializer.Select(static tensor => tensor.Name));
        Assert.Equal("first", run.Graph.Node[2].Name);
        Assert.Equal(["high", "low", null, null], run.Graph.Initializer.Select(static tensor => tensor.ExternalGroup));
    }

    [Fact]
    public void ThePrecisionInputHasFullPrecisionAsItsDefault()
    {
        PassRun run = Nest(Matrix(), bits: "7:3");
        ValueInfoProto input = Assert.Single(run.Graph.Input, static input => input.Name == "nest_bits");
        Assert.Equal(TensorDataType.Int32, input.Type!.TensorType!.ElemType);
        Assert.Equal([7], run.Graph.Initializer.Single(static tensor => tensor.Name == "nest_bits").ToInt32s());
        Assert.Contains(run.Model.OpsetImport, static opset => opset is { Domain: "com.nestquant", Version: 1 });
    }

    [Fact]
    public void NothingToNestLeavesTheModelAlone()
    {
        PassRun run = Nest(new GraphBuilder().Input("x", 2, 3).Node("y = Neg(x)").Output("y"));
        Assert.False(run.Changed);
        Assert.Single(run.Graph.Input);
    }

    [Fact]
    public void TheDecisionHasTheNumbers()
    {
        PassRun run = Nest(new GraphBuilder().Input("x", 1, 3, 5, 5).Random("W", 40, 3, 3, 3).Node("first: y = Conv(x, W)").Output("y"));
        NestingNumbers numbers = run.About("first").Nesting!;
        Assert.Equal(("8:6", 40L * 27, 40L * 27 * 4), (numbers.Bits, numbers.Weights, numbers.SourceBytes));
        Assert.Equal(((40L * 27 * 6 / 8) + 6 + 16, (40L * 27 * 3 / 8) + 11 + 16), (numbers.HighBytes, numbers.LowBytes));
        Assert.InRange(numbers.Levels[0].SqnrDb, 35, 60);
        Assert.InRange(numbers.Levels[1].SqnrDb, 25, numbers.Levels[0].SqnrDb - 5);
    }

    /// <summary>Neither weights near the smallest nor near the largest float32 may turn into something else in silence.</summary>
    [Theory]
    [InlineData(1e-38f, "the weights of 1 of 2 output channels are so small that they round to zero at 8 bits")]
    [InlineData(float.Epsilon, "the weights of 1 of 2 output channels are so small that they round to zero at 8 bits")]
    [InlineData(1e-11f, "the weights of 1 of 2 output channels are so small that they round to zero at 8 bits")]
    [InlineData(1e-7f, null)]
    [InlineData(0, null)]
    [InlineData(1e30f, null)]
    public void WeightsThatAreLostAreSaid(float magnitude, string? warning)
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 2, 2)
            .Floats("W", [2, 2], magnitude, 1, -magnitude / 2, -1)
            .Node("y = MatMul(x, W)")
            .Output("y");
        Assert.Equal(warning, Nest(graph).About("y").Warning);
    }

    [Theory]
    [InlineData(1e-38f)]
    [InlineData(-float.Epsilon)]
    public void AWeightOfWhichNothingIsLeftHasARatioOfZeroDecibels(float weight)
    {
        Decision decision = Nest(
            new GraphBuilder().Input("x", 2, 2).Floats("W", [2, 1], weight, weight).Node("y = MatMul(x, W)").Output("y")).About("y");
        Assert.Equal([0, 0], decision.Nesting!.Levels.Select(static level => level.SqnrDb));
        Assert.NotNull(decision.Warning);
    }

    /// <summary>At part precision the largest weight is 8 steps of 16, and not of 127 / 16.</summary>
    [Fact]
    public void WeightsThatOverflowAreSaid()
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 2, 2)
            .Floats("W", [2, 1], -float.MaxValue, float.MaxValue / 2)
            .Node("y = MatMul(x, W)")
            .Output("y");
        Decision decision = Nest(graph, "8:4").About("y");
        Assert.Contains("1 of 1 output channels are so large that they overflow float32", decision.Warning, StringComparison.Ordinal);
        Assert.Equal(double.NegativeInfinity, decision.Nesting!.Levels[1].SqnrDb);
    }

    [Theory]
    [InlineData(1e38f, 1e3f)]
    [InlineData(1e-38f, 1e-3f)]
    public void AnAlphaThatTakesScalesOutOfFloatStaysInTheGemm(float alpha, float weight)
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 2, 2)
            .Floats("W", [2, 2], weight, weight, -weight, weight)
            .Node("y = Gemm(x, W)", AttributeProto.Float("alpha", alpha))
            .Output("y");
        PassRun run = Nest(graph);
        Assert.Equal(["NestedDequantizeLinear", "Gemm"], run.Ops);
        Assert.Contains("leave float32", run.About("y").Note, StringComparison.Ordinal);
    }

    [Fact]
    public void SymmetricOperandsHaveNoZeroPointAndAffineOnesDo()
    {
        Assert.False(Nest(Matrix()).HasInitializer("W_zero_point"));
        Assert.True(Nest(Matrix(), scheme: WeightScheme.Affine).HasInitializer("W_zero_point"));
    }

    [Fact]
    public void ReadersOfOneValueShareItsQuantization()
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 1, 3, 5, 5)
            .Random("W", 4, 3, 3, 3)
            .Random("V", 2, 3, 3, 3)
            .Node("y = Conv(x, W)")
            .Node("z = Conv(x, V)")
            .Output("y", "z");
        Assert.Equal(["DynamicQuantizeLinear", "Transpose", "NestedConv", "Transpose", "NestedConv", "Transpose"], Nest(graph).Ops);
    }

    [Fact]
    public void ASharedWeightIsNestedOnce()
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 2, 4)
            .Random("W", 4, 4)
            .Node("a = MatMul(x, W)")
            .Node("y = Gemm(a, W)")
            .Output("y");
        PassRun run = Nest(graph);
        Assert.Single(run.Graph.Initializer, static tensor => tensor.ExternalGroup == "high");
        Assert.Equal(2, run.Ops.Count(static op => op == "NestedGemm"));
    }

    [Fact]
    public void ASharedWeightOfBothOrientationsIsNestedOnceAndDequantizedForTheSecond()
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 2, 4)
            .Random("W", 4, 4)
            .Node("a = MatMul(x, W)")
            .Node("y = Gemm(a, W)", AttributeProto.Int("transB", 1))
            .Output("y");
        PassRun run = Nest(graph);
        Assert.Single(run.Graph.Initializer, static tensor => tensor.ExternalGroup == "high");
        Assert.Equal(["DynamicQuantizeLinear", "NestedGemm", "NestedDequantizeLinear", "Gemm"], run.Ops);
        Assert.Contains("another orientation", run.About("y").Note!, StringComparison.Ordinal);
    }

    /// <summary>The body comes first in the graph, so that the dequantized weight must stand before it.</summary>
    [Theory]
    [InlineData(ActivationMode.WeightOnly)]
    [InlineData(ActivationMode.Dynamic)]
    public void AWeightSharedWithAnEarlierBodyIsDequantizedBeforeIt(ActivationMode mode)
    {
        GraphBuilder then = new GraphBuilder("then").Node("t = Gemm(x, W)", AttributeProto.Int("transB", 1)).Output("t"),
            otherwise = new GraphBuilder("else").Node("e = Neg(x)").Output("e");
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 4, 4)
            .Random("W", 4, 4)
            .If("a", then, otherwise)
            .Node("y = Gemm(a, W)")
            .Output("y");
        PassRun run = PassRun.Of(new NestingPass(Options(), mode), graph.Model());
        Assert.Equal("NestedDequantizeLinear", run.Graph.Node.First(static node => node.OpType != "DynamicQuantizeLinear").OpType);
        (string, TensorValue)[] feeds = [("x", TensorValue.Random(4, 4)), ("c", TensorValue.OfBool(true))];
        Assert.Equal(2, ModelRunner.Run(run.Model, feeds)["y"].Shape.Length);
    }

    [Fact]
    public void AnUnnamedNodeIsCalledByItsOutput() => Assert.True(Nest(Matrix()).About("y").Rewritten);

    [Fact]
    public void TakenNamesAreAvoided()
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 2, 4)
            .Input("W_high", 2, 4)
            .Random("W", 4, 4)
            .Node("x_quantized = Add(x, W_high)")
            .Node("x_scale: W_scale = MatMul(x, W)")
            .Node("y = Add(W_scale, x_quantized)")
            .Output("y");
        PassRun run = Nest(graph);
        Assert.True(run.HasInitializer("W_high_1"));
        Assert.True(run.HasInitializer("W_scale_1"));
        Assert.Equal(
            run.Graph.Node.Count,
            run.Graph.Node.Where(static node => node.Name.Length > 0)
                .Select(static node => node.Name)
                .Distinct()
                .Count() + run.Graph.Node.Count(static node => node.Name.Length == 0));
    }

    [Fact]
    public void ANameThatABodyUsesIsTaken()
    {
        GraphBuilder then = new GraphBuilder("then").Node("W_low = Neg(x)").Node("t = Abs(W_low)").Output("t"),
            otherwise = new GraphBuilder("else").Node("e = Neg(x)").Output("e");
        PassRun run = Nest(
            new GraphBuilder().Input("x", 2, 4).Random("W", 4, 4).If("a", then, otherwise).Node("y = MatMul(a, W)").Output("y"));
        Assert.True(run.HasInitializer("W_low_1"));
    }

    [Fact]
    public void AValueCalledNestBitsIsAnError()
    {
        GraphBuilder graph = new GraphBuilder().Input("nest_bits", 2, 4).Random("W", 4, 4).Node("y = MatMul(nest_bits, W)").Output("y");
        Assert.Contains("'nest_bits'", Assert.Throws<ModelException>(() => Nest(graph)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AValueCalledNestBitsInABodyIsAnError()
    {
        GraphBuilder then = new GraphBuilder("then").Node("nest_bits = Neg(x)").Output("nest_bits"),
            otherwise = new GraphBuilder("else").Node("e = Neg(x)").Output("e");
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 2, 4)
            .Random("W", 4, 4)
            .If("a", then, otherwise)
            .Node("y = MatMul(a, W)")
            .Output("y");
        Assert.Throws<ModelException>(() => Nest(graph));
    }

    [Theory]
    [InlineData("8:6", "6:4")]
    [InlineData("6:4", "8:6")]
    [InlineData("8:6", "8:6")]
    public void WhatWasExcludedCanBeNestedLaterAtBitsOfItsOwn(string first, string later)
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 2, 4)
            .Random("W", 4, 4)
            .Random("V", 4, 4)
            .Node("one: a = MatMul(x, W)")
            .Node("two: y = MatMul(a, V)")
            .Output("y");
        ModelProto model = Nest(graph, exclude: "two", bits: first).Model;
        PassRun run = PassRun.Of(new NestingPass(Options(later)), model);
        Assert.Equal(2, run.Ops.Count(static op => op == "NestedGemm"));
        Assert.Single(run.Graph.Input, static input => input.Name == "nest_bits");
        TensorProto precision = run.Graph.Initializer.Single(static tensor => tensor.Name == "nest_bits");
        Assert.Equal([8], precision.ToInt32s());
    }

    [Fact]
    public void APartModelIsNotNestedAgain()
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 2, 4)
            .Random("W", 4, 4)
            .Random("V", 4, 4)
            .Node("one: a = MatMul(x, W)")
            .Node("two: y = MatMul(a, V)")
            .Output("y");
        ModelProto part = PartModel.From(Nest(graph, exclude: "two").Model)!;
        string message = Assert.Throws<ModelException>(() => new NestingPass(Options()).Run(new ModelContext(part))).Message;
        Assert.Contains("not a part model", message, StringComparison.Ordinal);
    }

    [Fact]
    public void OldOperatorSetsAreWeightOnly()
    {
        ModelProto model = new GraphBuilder()
            .Input("x", 1, 3, 5, 5)
            .Random("W", 4, 3, 3, 3)
            .Node("y = Conv(x, W)")
            .Output("y")
            .Model(opset: 10, irVersion: 5);
        PassRun run = PassRun.Of(new NestingPass(Options()), model);
        Assert.Equal(["NestedFloatConv"], run.Ops);
        Assert.Contains("DynamicQuantizeLinear needs 11", run.About("y").Note!, StringComparison.Ordinal);
    }

    /// <summary>
    /// The nested operators' bodies lie in the main graph, where all bodies see them; the dequantized weight lies where the weight did.
    /// </summary>
    [Fact]
    public void AWeightOfABodyIsNestedInTheMainGraph()
    {
        GraphBuilder then = new GraphBuilder("then").Random("W", 4, 3, 3, 3).Node("t = ConvTranspose(x, W)").Output("t");
        GraphBuilder otherwise = new GraphBuilder("else").Random("W", 4, 3, 3, 3).Node("e = ConvTranspose(x, W)").Output("e");
        PassRun run = Nest(new GraphBuilder().Input("x", 1, 4, 5, 5).If("y", then, otherwise).Output("y"));
        Assert.Equal(
            ["W_high", "W_low", "W_scale", "W_high_1", "W_low_1", "W_scale_1"],
            run.Graph.Initializer.Select(static tensor => tensor.Name).Where(static name => name != "nest_bits"));
        Assert.Equal("NestedDequantizeLinear", then.Graph.Node[0].OpType);
        Assert.Equal("NestedDequantizeLinear", otherwise.Graph.Node[0].OpType);
        Assert.Empty(then.Graph.Initializer);
    }

    [Fact]
    public void ThreadsDoNotMatter()
    {
        byte[][] bytes = [.. ((int[])[1, 2, 5]).Select(static threads =>
        {
            ModelProto model = new GraphBuilder()
                .Input("x", 1, 16, 9, 9)
                .Random("W", 70, 16, 3, 3)
                .Random("V", 50, 70, 3, 3)
                .Node("a = Conv(x, W)")
                .Node("y = Conv(a, V)")
                .Output("y")
                .Model();
            new NestingPass(Options()).Run(new ModelContext(model) { Threads = threads });
            return ModelFile.ToBytes(model);
        })];
        Assert.Equal(bytes[0], bytes[1]);
        Assert.Equal(bytes[0], bytes[2]);
    }

    [Fact]
    public void ACancelledRunStops()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(
            () => new NestingPass(Options()).Run(new ModelContext(Matrix().Model()) { Cancellation = cancelled.Token }));
    }

    internal static GraphBuilder Matrix() => new GraphBuilder().Input("x", 2, 4).Random("W", 4, 6).Node("y = MatMul(x, W)").Output("y");

    internal static WeightOptions Options(string bits = "8:6") => new() { Bits = NestedBits.Parse(bits) };

    internal static PassRun Nest(
        GraphBuilder graph, string bits = "8:6", WeightScheme scheme = WeightScheme.Symmetric, string? exclude = null, bool loads = true) =>
        PassRun.Of(
            new NestingPass(Options(bits) with { Scheme = scheme, Exclude = exclude is null ? [] : [exclude] }), graph.Model(), loads);
}
