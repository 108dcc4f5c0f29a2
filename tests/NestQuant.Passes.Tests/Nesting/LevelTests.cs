using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Onnx.Validation;
using NestQuant.Passes.Export;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Tests.Nesting;

/// <summary>Every form of layer at every level, with scales and biases that only levels below full precision have.</summary>
public sealed class LevelTests
{
    private const float Tolerance = 1e-5f;

    public static TheoryData<string, ActivationMode, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, ActivationMode, string>();
            foreach (string form in NestedForm.All.Keys)
                foreach (ActivationMode mode in (ActivationMode[])[ActivationMode.WeightOnly, ActivationMode.Dynamic])
                    foreach (string bits in (string[])["8:5", "8:6:3"]) cases.Add(form, mode, bits);
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void EveryLevelGivesWhatItsFloatModelGives(string name, ActivationMode mode, string levels)
    {
        NestedForm form = NestedForm.All[name];
        var bits = NestedBits.Parse(levels);
        ModelProto model = Nested(form, bits, mode);
        using InferenceSession session = ModelRunner.Open(model);
        foreach (int level in bits.Levels)
            Closeness.AssertClose(
                ModelRunner.Run(LevelForm.Reference(form.Model(), model, bits, level), ReferenceFeeds(form, model))["y"],
                Run(session, form, level),
                Tolerance);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void EveryLevelIsExported(string name, ActivationMode mode, string levels)
    {
        NestedForm form = NestedForm.All[name];
        var bits = NestedBits.Parse(levels);
        ModelProto model = Nested(form, bits, mode);
        foreach (int level in bits.Levels)
        {
            ModelProto exported = ModelExport.ToQdq(model, new ExportOptions { Bits = level }).Model;
            using InferenceSession standard = ModelRunner.Open(exported, optimize: false);
            ModelProto reference = LevelForm.Reference(form.Model(), model, bits, level);
            TensorValue expected = ModelRunner.Run(reference, ReferenceFeeds(form, model))["y"];
            Closeness.AssertClose(expected, ModelRunner.Run(standard, form.Feeds)["y"], Tolerance);
        }
    }

    private static ModelProto Nested(NestedForm form, NestedBits bits, ActivationMode mode)
    {
        ModelProto model = form.Model();
        LevelForm.Nest(model, bits, mode);
        ModelValidation.Verify(model);
        return model;
    }

    /// <summary>The activations that the layers of a nested model read.</summary>
    private static (string Name, TensorValue Value)[] ReferenceFeeds(NestedForm form, ModelProto nested) =>
        nested.AllNodes().Any(static node => node.OpType == "DynamicQuantizeLinear")
            ? [("x", DequantizedModel.Quantized(form.Feeds[0].Value)), .. form.Feeds[1..]]
            : form.Feeds;

    private static TensorValue Run(InferenceSession session, NestedForm form, int bits) =>
        ModelRunner.Run(session, [.. form.Feeds, (PrecisionInput.Name, TensorValue.OfInt32([], bits))])["y"];
}
