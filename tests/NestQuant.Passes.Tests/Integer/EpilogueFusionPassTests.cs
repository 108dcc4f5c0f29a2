using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Export;
using NestQuant.Passes.Integer;
using NestQuant.Passes.Integer.ActivationQuantization;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Models;
using NestQuant.Passes.Tests.Nesting;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Integer;

/// <summary>Nested operators that quantize their results, against the same operators with QuantizeLinear behind them.</summary>
public sealed class EpilogueFusionPassTests
{
    private const float Scale = 0.02f;

    public static TheoryData<string, string, int, int> Activations => new()
    {
        { "y = Identity(c)", "none", 100, 0 },
        { "y = Relu(c)", "saturation", 0, 0 },
        { "y = Relu(c)", "clamp", 100, 100 },
        { "y = Clip(c, low, high)", "clamp", 100, 75 },
        { "y = Clip(c, , high)", "clamp", 0, 0 },
        { "y = Clip(c, zero, far)", "saturation", 0, 0 },
    };

    [Theory]
    [MemberData(nameof(Activations))]
    public void AnActivationBecomesBounds(string activation, string kind, int zeroPoint, int clampMin)
    {
        foreach (string op in (string[])["Conv", "Gemm"])
        {
            ModelProto model = Nested(op, activation, (byte)zeroPoint);
            Dictionary<string, TensorValue> expected = QdqGraph.RunAsWritten(model, Feeds(op));
            PassRun run = PassRun.Of(new EpilogueFusionPass(), model);
            Dictionary<string, TensorValue> actual = ModelRunner.Run(run.Model, Feeds(op));

            NodeProto node = run.Model.AllNodes().Single(node => node.OpType == "NestedQLinear" + op);
            Assert.Equal(kind == "clamp" && clampMin > 0, node.GetAttribute("clamp_min") is not null);
            Assert.Equal(clampMin, node.GetInt("clamp_min", 0));
            Assert.DoesNotContain(run.Ops, static name => name is "Relu" or "Clip" || name == "NestedConv" || name == "NestedGemm");
            float difference = QdqGraph.LargestDifference(expected["result"], actual["result"]);
            Assert.True(difference <= 1.01f * Scale, FormattableString.Invariant($"{difference / Scale} steps"));
            Assert.True(run.About("n").Rewritten);
        }
    }

    [Fact]
    public void BothPrecisionsAndThePartModelRun()
    {
        ModelProto model = PassRun.Of(new EpilogueFusionPass(), Nested("Conv", "y = Relu(c)", 0)).Model;
        TensorValue full = ModelRunner.Run(model, Feeds("Conv"))["result"],
            atPart = ModelRunner.Run(model, [.. Feeds("Conv"), ("nest_bits", TensorValue.OfInt32([], 6))])["result"];
        Assert.NotEqual(full.Bytes, atPart.Bytes);
        ModelProto part = PartModel.From(model)!;
        Assert.DoesNotContain(part.Graph!.Initializer, static tensor => tensor.ExternalGroup == "low");
        Assert.Equal(atPart.Bytes, ModelRunner.Run(part, Feeds("Conv"))["result"].Bytes);
    }

    /// <summary>Scales, biases and steps of more levels move into the fused operator, and out of it into an export.</summary>
    [Theory]
    [InlineData("Conv")]
    [InlineData("Gemm")]
    public void EveryLevelKeepsItsScaleAndBias(string op)
    {
        var bits = new NestedBits(8, 6, 3);
        ModelProto model = Source(op, "y = Relu(c)", 100);
        LevelForm.Nest(model, bits, ActivationMode.Dynamic);
        Dictionary<int, TensorValue> expected = bits.Levels.ToDictionary(
            static level => level, level => QdqGraph.RunAsWritten(model, At(level))["result"]);
        PassRun run = PassRun.Of(new EpilogueFusionPass(), model);
        Assert.Contains("NestedQLinear" + op, run.Ops);
        foreach (int level in bits.Levels)
        {
            TensorValue actual = ModelRunner.Run(run.Model, At(level))["result"];
            Assert.True(QdqGraph.LargestDifference(expected[level], actual) <= 1.01f * Scale);
            ModelProto exported = ModelExport.ToQdq(run.Model, new ExportOptions { Bits = level }).Model;
            Assert.True(QdqGraph.LargestDifference(actual, QdqGraph.RunAsWritten(exported, Feeds(op))["result"]) <= 1.01f * Scale);
        }

        Assert.Equal(3, expected.Values.Select(static value => Convert.ToHexString(value.Bytes)).Distinct().Count());

        (string, TensorValue)[] At(int level) => [.. Feeds(op), ("nest_bits", TensorValue.OfInt32([], level))];
    }

    [Fact]
    public void ParametersOfOneElementBecomeScalars()
    {
        ModelProto model = Nested("Conv", "y = Relu(c)", 9);
        foreach (TensorProto tensor in model.Graph!.Initializer.Where(
                static tensor => tensor.Name.StartsWith("y_result_", StringComparison.Ordinal)))
            tensor.Dims.Add(1);
        PassRun run = PassRun.Of(new EpilogueFusionPass(), model);
        Assert.Contains("NestedQLinearConv", run.Ops);
    }

    [Theory]
    [InlineData("also", "its float result is also read by Softmax 'also'")]
    [InlineData("output", "its result 'c' is an output of the graph")]
    [InlineData("tanh", "its result is read by Tanh 't', in float")]
    [InlineData("other", "its result is also quantized with other parameters, by 'more_q'")]
    [InlineData("bounds", "the bounds of 'r' are not constant")]
    public void AResultThatIsNeededInFloatStays(string obstacle, string reason)
    {
        string activation = obstacle switch
        {
            "tanh" => "t: y = Tanh(c)",
            "bounds" => "r: y = Clip(c, bound)",
            _ => "y = Relu(c)",
        };
        PassRun run = PassRun.Of(new EpilogueFusionPass(), Nested("Conv", activation, 0, graph => obstacle switch
                {
                    "also" => graph.Node("also: v = Softmax(c)").Output("v"),
                    "output" => graph.Output("c"),
                    "other" => graph.Pair("y", "more", 0.5f, 0).Output("more"),
                    "bounds" => graph,
                    _ => graph,
                }));
        Assert.False(run.Changed);
        Assert.Equal(reason, run.ReasonFor("n"));
    }

    private static (string, TensorValue)[] Feeds(string op) =>
        [("x", op == "Conv" ? TensorValue.Random(1, 3, 8, 8) : TensorValue.Random(4, 20)), ("bound", TensorValue.Of([], 0))];

    private static ModelProto Nested(string op, string activation, byte zeroPoint, Func<GraphBuilder, GraphBuilder>? more = null)
    {
        ModelProto model = Source(op, activation, zeroPoint, more);
        new NestingPass(new WeightOptions { Bits = new NestedBits(8, 6) }).Run(new Compiler.Pipeline.ModelContext(model));
        return model;
    }

    private static ModelProto Source(string op, string activation, byte zeroPoint, Func<GraphBuilder, GraphBuilder>? more = null)
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", op == "Conv" ? [1, 3, 8, 8] : [4, 20])
            .Input("bound")
            .Floats("low", [], -0.5f)
            .Floats("high", [], 1.1f)
            .Floats("zero", [], 0)
            .Floats("far", [], 100)
            .Random("B", 7)
                .Random("W", op == "Conv" ? [7, 3, 3, 3] : [20, 7])
                .Node($"n: c = {op}(x, W, B)")
                .Node(activation)
                .Pair("y", "result", Scale, zeroPoint)
                .Output("result");
        ModelProto model = (more?.Invoke(graph) ?? graph).Model();
        new Passes.Cleanup.IdentityRemovalPass().Run(new Compiler.Pipeline.ModelContext(model));
        return model;
    }
}
