using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Passes.Export;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Nesting;

/// <summary>Weights of LSTM, GRU and RNN: decoded before each run, where there are steps enough to make up for it.</summary>
public sealed class RecurrentWeightTests
{
    private const int Steps = 64, Hidden = 8;

    [Theory]
    [InlineData("LSTM", 4)]
    [InlineData("GRU", 3)]
    [InlineData("RNN", 1)]
    public void BothWeightsAreNestedWithAScalePerRow(string op, int gates)
    {
        CompileResult result = Compile(Model(op, gates, Steps), new WeightOptions { Bits = new NestedBits(8, 6) });
        IReadOnlyList<NestedOperator> nested = NestedOperator.Of(result.Model);
        Assert.Equal([[2L, gates * Hidden, 5], [2, gates * Hidden, Hidden]], nested.Select(static weight => weight.Shape));
        Assert.All(nested, weight => Assert.Equal(2 * gates * Hidden, weight.Layout.View.OutputChannels));
        Assert.Equal(2, result.Decisions.Decisions.Count(static decision => decision is { Node: "r", Nesting: not null }));

        (string, TensorValue) x = ("x", TensorValue.Random(Steps, 1, 5));
        float[] expected = ModelRunner.Run(Model(op, gates, Steps), x)["y"].Floats;
        Closeness.AssertClose(expected, ModelRunner.Run(result.Model, x)["y"].Floats, 0.1f);
        Closeness.AssertClose(
            ModelRunner.Run(result.Model, x, ("nest_bits", TensorValue.OfInt32([], 6)))["y"].Floats,
            ModelRunner.Run(ModelExport.ToQdq(result.Model, new ExportOptions { Bits = 6 }).Model, x)["y"].Floats,
            1e-5f);
    }

    [Theory]
    [InlineData(16, "with 16 steps it would take 1.5 times as long")]
    [InlineData(-1, "as many steps as its input, which the model does not say")]
    public void AWeightOfFewOrUnknownStepsStays(int steps, string reason)
    {
        CompileResult result = Compile(Model("LSTM", 4, steps), new WeightOptions { Bits = new NestedBits(8, 6) });
        Assert.All(
            result.Decisions.Decisions.Where(static decision => decision.Pass == NestingPass.PassName),
            decision => Assert.Contains(reason, decision.Reason, StringComparison.Ordinal));
    }

    [Fact]
    public void ARuleNestsItNevertheless()
    {
        var weights = new WeightOptions { Rules = [new WeightRule { Operator = "LSTM", Bits = new NestedBits(8, 6) }] };
        Assert.Equal(2, NestedOperator.Of(Compile(Model("LSTM", 4, 1), weights).Model).Count);
    }

    [Fact]
    public void WhereTheBatchIsFirstTheStepsAreSecond()
    {
        ModelProto model = Model("LSTM", 4, 1, 48);
        model.Graph!.Node[0].Attribute.Add(AttributeProto.Int("layout", 1));
        Assert.Equal(2, PassRun.Of(new NestingPass(new WeightOptions { Bits = new NestedBits(8, 6) }), model, loads: false)
            .Decisions.Count(static decision => decision.Rewritten));
    }

    private static ModelProto Model(string op, int gates, params int[] extents) => new GraphBuilder()
        .Input("x", extents[0], extents.Length > 1 ? extents[1] : 1, 5)
        .Random("W", 2, gates * Hidden, 5).Random("R", 2, gates * Hidden, Hidden)
        .Node(
            $"r: y = {op}(x, W, R)", AttributeProto.Int("hidden_size", Hidden),
            AttributeProto.String("direction", "bidirectional"))
        .Output("y").Model();

    private static CompileResult Compile(ModelProto model, WeightOptions weights) =>
        NestQuantCompiler.Compile(model, new CompilerOptions { Weights = weights });
}
