using Microsoft.ML.OnnxRuntime;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Export;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Models;
using NestQuant.Passes.Verification;
using NestQuant.RuntimeOps;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Nesting;

/// <summary>Models whose weights have different pairs n:h, nested one after the other.</summary>
public sealed class MixedPrecisionTests
{
    private const float Tolerance = 1e-5f;

    private static readonly (string Node, NestedBits Bits)[] Pairs =
        [("first", new NestedBits(6, 4)), ("second", new NestedBits(8, 6)), ("third", new NestedBits(5, 3))];

    private static readonly (string Name, TensorValue Value) X =
        ("x", TensorValue.Random(2, 8));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(9)]
    public void Every_weight_runs_at_its_highest_level_that_is_not_above_the_bits_or_at_its_lowest(int bits)
    {
        ModelProto mixed = Mixed(ActivationMode.WeightOnly);
        TensorValue expected = ModelRunner.Run(DequantizedModel.Of(Source(), mixed, bits), X)["y"];
        using InferenceSession session = ModelRunner.Open(mixed);
        Closeness.AssertClose(expected, Run(session, bits), Tolerance);
    }

    [Theory]
    [InlineData(ActivationMode.WeightOnly)]
    [InlineData(ActivationMode.Dynamic)]
    public void Every_level_makes_a_difference_and_the_default_is_full(ActivationMode activations)
    {
        using InferenceSession session = ModelRunner.Open(Mixed(activations));
        Assert.Equal(Run(session, 8).Bytes, ModelRunner.Run(session, X)["y"].Bytes);
        Assert.Equal(Run(session, 8).Bytes, Run(session, 9).Bytes);
        Assert.Equal(Run(session, 6).Bytes, Run(session, 7).Bytes);
        Assert.Equal(Run(session, 1).Bytes, Run(session, 4).Bytes);
        // 8 and above, 6 and 7, 5, below 5.
        Assert.Equal(4, Enumerable.Range(1, 9).Select(bits => Convert.ToHexString(Run(session, bits).Bytes)).Distinct().Count());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void Bits_below_one_are_an_error(int bits)
    {
        using InferenceSession session = ModelRunner.Open(Mixed(ActivationMode.Dynamic));
        string message = Assert.Throws<OnnxRuntimeException>(() => Run(session, bits)).Message;
        Assert.Contains($"nest_bits is {bits}", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_sessions_limit_holds_for_every_weight()
    {
        byte[] model = ModelFile.ToBytes(Mixed(ActivationMode.Dynamic));
        using InferenceSession limited = NodeModel.Open(model, 1, (NestQuantOps.BitsConfigEntry, "6"));
        using InferenceSession free = NodeModel.Open(model, 1);
        foreach (int bits in (int[])[1, 4, 5, 6, 7, 8, 9]) Assert.Equal(Run(free, Math.Min(bits, 6)).Bytes, Run(limited, bits).Bytes);
    }

    [Fact]
    public void The_precisions_are_the_levels_of_all_weights() =>
        Assert.Equal("8, 6, 5, 4 or 3 bits", NestedPrecisions.Of(Mixed(ActivationMode.Dynamic))!.ToString());

    [Theory]
    [InlineData(ActivationMode.WeightOnly)]
    [InlineData(ActivationMode.Dynamic)]
    public void The_part_model_runs_every_weight_at_its_lowest_level(ActivationMode activations)
    {
        ModelProto mixed = Mixed(activations), part = PartModel.From(mixed)!;
        using InferenceSession whole = ModelRunner.Open(mixed), alone = ModelRunner.Open(part);
        Assert.Equal(Run(whole, 1).Bytes, ModelRunner.Run(alone, X)["y"].Bytes);
        Assert.Equal([4, 3], NestedPrecisions.Of(part)!.Bits);
        Assert.All(NestedPrecisions.Of(part)!.Bits, bits => Assert.Equal(Run(whole, bits).Bytes, Run(alone, bits).Bytes));
        Assert.Contains("W_low", Assert.Throws<OnnxRuntimeException>(() => Run(alone, 5)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_precision_is_exported()
    {
        ModelProto mixed = Mixed(ActivationMode.WeightOnly);
        using InferenceSession session = ModelRunner.Open(mixed);
        foreach (int bits in NestedPrecisions.Of(mixed)!.Bits)
        {
            ModelProto exported = ModelExport.ToQdq(mixed, new ExportOptions { Bits = bits }).Model;
            using InferenceSession standard = ModelRunner.Open(exported, optimize: false);
            Closeness.AssertClose(Run(session, bits), ModelRunner.Run(standard, X)["y"], Tolerance);
        }

        string message = Assert.Throws<ModelException>(() => ModelExport.ToQdq(mixed, new ExportOptions { Bits = 7 })).Message;
        Assert.Contains("it runs at 8, 6, 5, 4 or 3 bits", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_are_verified()
    {
        using var folder = new TemporaryFolder();
        ModelFile.Save(Mixed(ActivationMode.Dynamic), folder.File("mixed.onnx"));
        ModelVerification verification = ModelVerification.Of(folder.File("mixed.onnx"));
        Assert.Equal(3, verification.Weights);
        Assert.Empty(verification.Problems);
    }

    [Fact]
    public void A_part_model_is_not_nested_further()
    {
        ModelProto part = PartModel.From(Nested(Source(), "first", ActivationMode.Dynamic))!;
        string message = Assert.Throws<ModelException>(() => Nested(part, "second", ActivationMode.Dynamic)).Message;
        Assert.Contains("'nest_bits' is 4 by default, where full precision takes 6", message, StringComparison.Ordinal);
    }

    private static ModelProto Source() => new GraphBuilder()
        .Input("x", 2, 8)
        .Random("w1", 8, 6)
        .Random("w2", 6, 7)
        .Random("w3", 7, 5)
        .Node("first: a = MatMul(x, w1)")
        .Node("second: b = MatMul(a, w2)")
        .Node("third: y = MatMul(b, w3)")
        .Output("y")
        .Model();

    private static ModelProto Mixed(ActivationMode activations)
    {
        ModelProto model = Source();
        foreach ((string node, _) in Pairs) Nested(model, node, activations);
        return model;
    }

    /// <summary>Nests the weight of one node, with its own pair.</summary>
    private static ModelProto Nested(ModelProto model, string node, ActivationMode activations)
    {
        var weights = new WeightOptions
        {
            Bits = Pairs.Single(pair => pair.Node == node).Bits,
            Exclude = [.. model.AllNodes().Where(other => other.Is("MatMul") && other.Name != node).Select(static other => other.Name)],
        };
        new NestingPass(weights, activations).Run(new ModelContext(model));
        return model;
    }

    private static TensorValue Run(InferenceSession session, int bits) =>
        ModelRunner.Run(session, X, (PrecisionInput.Name, TensorValue.OfInt32([], bits)))["y"];
}
