using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Validation;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Nesting;

/// <summary>
/// Nested models in ONNX Runtime against the float models that they stand for: the same weights in float, and where activations are
/// quantized, the activations quantized by ONNX Runtime itself.
/// </summary>
public sealed class NestedExecutionTests
{
    private const float Tolerance = 1e-5f;

    public static TheoryData<string, WeightScheme, ActivationMode> Cases
    {
        get
        {
            var cases = new TheoryData<string, WeightScheme, ActivationMode>();
            foreach (string form in NestedForm.All.Keys)
                foreach (WeightScheme scheme in Enum.GetValues<WeightScheme>())
                    foreach (ActivationMode mode in (ActivationMode[])[ActivationMode.WeightOnly, ActivationMode.Dynamic])
                        cases.Add(form, scheme, mode);
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void BothPrecisionsGiveWhatTheirFloatModelsGive(string name, WeightScheme scheme, ActivationMode mode)
    {
        NestedForm form = NestedForm.All[name];
        ModelProto source = form.Model();
        var options = new WeightOptions
        {
            Bits = scheme == WeightScheme.Symmetric ? new NestedBits(8, 6) : new NestedBits(7, 4),
            Scheme = scheme,
        };
        PassRun run = PassRun.Of(new NestingPass(options, mode), form.Model(), loads: false);

        Assert.All(run.Decisions, static decision => Assert.True(decision.Rewritten, decision.Reason));
        Assert.Contains(mode == ActivationMode.WeightOnly ? form.FloatOp : form.Op, run.Ops);
        using InferenceSession session = ModelRunner.Open(run.Model);
        (string, TensorValue)[] reference = form.Feeds;
        if (run.Ops.Contains("DynamicQuantizeLinear"))
            reference = [("x", DequantizedModel.Quantized(form.Feeds[0].Value)), .. form.Feeds[1..]];

        TensorValue full = ModelRunner.Run(session, form.Feeds)["y"];
        Closeness.AssertClose(ModelRunner.Run(DequantizedModel.Of(source, run.Model, part: false), reference)["y"], full, Tolerance);
        Assert.Equal(full.Bytes, Run(session, form, options.Bits!.Value.Full).Bytes);

        TensorValue part = Run(session, form, options.Bits!.Value.High);
        Closeness.AssertClose(ModelRunner.Run(DequantizedModel.Of(source, run.Model, part: true), reference)["y"], part, Tolerance);
        Assert.NotEqual(full.Bytes, part.Bytes);
        Assert.Equal(full.Bytes, ModelRunner.Run(session, form.Feeds)["y"].Bytes);
    }

    public static TheoryData<string, ActivationMode> FormsAndModes
    {
        get
        {
            var cases = new TheoryData<string, ActivationMode>();
            foreach (string form in NestedForm.All.Keys)
                foreach (ActivationMode mode in (ActivationMode[])[ActivationMode.WeightOnly, ActivationMode.Dynamic])
                    cases.Add(form, mode);
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(FormsAndModes))]
    public void ThePartModelIsThePartPrecisionForAnyNumberOfThreads(string name, ActivationMode mode)
    {
        NestedForm form = NestedForm.All[name];
        var options = new WeightOptions { Bits = new NestedBits(8, 5), Scheme = WeightScheme.Affine };
        ModelProto model = PassRun.Of(new NestingPass(options, mode), form.Model(), loads: false).Model;
        byte[] before = ModelFile.ToBytes(model);
        ModelProto part = PartModel.From(model)!;

        Assert.Equal(before, ModelFile.ToBytes(model));
        Assert.DoesNotContain(part.Graph!.Initializer, static tensor => tensor.ExternalGroup == "low");
        ModelValidation.Verify(part);
        using InferenceSession session = ModelRunner.Open(model, threads: 1), threaded = ModelRunner.Open(model, threads: 2);
        TensorValue expected = Run(session, form, 5);
        Assert.Equal(expected.Bytes, ModelRunner.Run(part, form.Feeds)["y"].Bytes);
        Assert.Equal(expected.Bytes, Run(threaded, form, 5).Bytes);
        Assert.Equal(ModelRunner.Run(session, form.Feeds)["y"].Bytes, ModelRunner.Run(threaded, form.Feeds)["y"].Bytes);
    }

    /// <summary>Every n:h and rounding, on one convolution.</summary>
    [Theory]
    [InlineData(WeightRounding.Adaptive)]
    [InlineData(WeightRounding.Nearest)]
    [InlineData(WeightRounding.Floor)]
    public void EveryPairOfBitWidthsRuns(WeightRounding rounding)
    {
        NestedForm form = NestedForm.All["conv-bias"];
        for (int full = 3; full <= 8; full++)
        {
            for (int high = 2; high < full; high++)
            {
                var options = new WeightOptions
                {
                    Bits = new NestedBits(full, high),
                    SplitRounding = rounding,
                    Scheme = WeightScheme.Affine,
                };
                ModelProto model = PassRun.Of(new NestingPass(options), form.Model(), loads: false).Model;
                using InferenceSession session = ModelRunner.Open(model);
                foreach (int bits in (int[])[full, high])
                {
                    TensorValue expected = ModelRunner.Run(
                        DequantizedModel.Of(form.Model(), model, part: bits == high),
                        ("x", DequantizedModel.Quantized(form.Feeds[0].Value)))["y"];
                    Closeness.AssertClose(expected, Run(session, form, bits), Tolerance);
                }
            }
        }
    }

    [Fact]
    public void AnInputOfZerosGivesTheBias()
    {
        NestedForm form = NestedForm.All["conv-bias"];
        ModelProto model = PassRun.Of(new NestingPass(new WeightOptions { Bits = new NestedBits(8, 6) }), form.Model()).Model;
        TensorValue zeros = TensorValue.Of([1, 3, 7, 7], new float[147]);
        Assert.Equal(ModelRunner.Run(form.Model(), ("x", zeros))["y"].Bytes, ModelRunner.Run(model, ("x", zeros))["y"].Bytes);
    }

    /// <summary>
    /// ONNX Runtime folds a Shape whose input has a known shape: an unknown batch size must stay unknown behind a nested operator.
    /// </summary>
    [Theory]
    [InlineData("h = Conv(x, W)", 4)]
    [InlineData("h = MatMul(x, W)", 2)]
    public void AShapeBehindANestedOperatorHasTheRealBatchSize(string node, int rank)
    {
        long[] x = rank == 4 ? [-1, 3, 5, 5] : [-1, 3], weight = rank == 4 ? [4, 3, 3, 3] : [3, 4];
        ModelProto model = new GraphBuilder().Input("x", x).Random("W", weight).Node(node).Node("y = Shape(h)").Output("y").Model();
        PassRun run = PassRun.Of(new NestingPass(new WeightOptions { Bits = new NestedBits(8, 6) }), model);
        x[0] = 7;
        TensorValue shape = ModelRunner.Run(run.Model, ("x", TensorValue.Random(x)))["y"];
        Assert.Equal(
            rank == 4 ? [7, 4, 3, 3] : [7, 4], System.Runtime.InteropServices.MemoryMarshal.Cast<byte, long>(shape.Bytes).ToArray());
    }

    [Fact]
    public void ALoopReadsTheOuterOperandsInEveryTrip()
    {
        ModelProto source = LoopModel();
        ModelProto model = PassRun.Of(
            new NestingPass(new WeightOptions { Bits = new NestedBits(8, 6) }, ActivationMode.WeightOnly), LoopModel()).Model;
        (string, TensorValue) x = ("x", TensorValue.Random(1, 3, 5, 5));
        Closeness.AssertClose(
            ModelRunner.Run(DequantizedModel.Of(source, model, part: false), x)["y"], ModelRunner.Run(model, x)["y"], Tolerance);
        Closeness.AssertClose(
            ModelRunner.Run(DequantizedModel.Of(source, model, part: true), x)["y"], ModelRunner.Run(
                model, x, ("nest_bits", TensorValue.OfInt32([], 6)))["y"], Tolerance);

        static ModelProto LoopModel() => new GraphBuilder().Input("x", 1, 3, 5, 5).Random("W", 3, 3, 3, 3)
            .Loop("y", "x", new GraphBuilder("body").Node("v_out = Conv(v, W)", AttributeProto.IntList("pads", 1, 1, 1, 1)), 1, 3, 5, 5)
                .Output("y")
                .Model();
    }

    private static TensorValue Run(InferenceSession session, NestedForm form, int bits) =>
        ModelRunner.Run(session, [.. form.Feeds, ("nest_bits", TensorValue.OfInt32([], bits))])["y"];
}
