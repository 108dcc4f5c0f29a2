using Microsoft.ML.OnnxRuntime;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Export;
using NestQuant.Passes.Integer;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Models;
using NestQuant.Passes.Tests.Nesting;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Integer;

public sealed class BiasFusionPassTests
{
    [Theory]
    [InlineData("y = Add(p, B)")]
    [InlineData("y = Add(B, p)")]
    public void AnAddedBiasBecomesThatOfTheProduct(string add)
    {
        PassRun run = PassRun.Preserving(new BiasFusionPass(), Nested(add), 0, ("x", TensorValue.Random(2, 4, 20)));
        Assert.DoesNotContain("Add", run.Ops);
        Assert.Equal("B", run.Model.AllNodes().Single(static node => node.OpType == "NestedGemm").Input[7]);
    }

    [Theory]
    [InlineData("n: y = Add(p, x2)", "its other operand is not a float32 constant")]
    [InlineData("n: y = Add(p, one)", "its other operand is not one value per output channel")]
    [InlineData("n: y = Add(p, column)", "its other operand is not one value per output channel")]
    public void OtherAddsStay(string add, string reason) =>
        Assert.Equal(reason, PassRun.Of(new BiasFusionPass(), Nested(add)).ReasonFor("n"));

    [Theory]
    [InlineData("y = Add(p, p)")]
    [InlineData("y = Add(p, B)", "p")]
    public void AProductThatIsAlsoReadByItselfStays(string add, string? output = null)
    {
        ModelProto model = Nested(add);
        if (output is not null) model.Graph!.Output.Add(new ValueInfoProto { Name = output });
        Assert.False(PassRun.Of(new BiasFusionPass(), model).Changed);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(6)]
    public void ItIsAddedAtEveryLevel(int precision)
    {
        ModelProto source = Source("y = Add(p, B)"), model = ModelRunner.Clone(source);
        var bits = new NestedBits(8, 6);
        LevelForm.Nest(model, bits, ActivationMode.Dynamic);
        PassRun run = PassRun.Of(new BiasFusionPass(), model, loads: false);
        Assert.DoesNotContain("Add", run.Ops);
        TensorValue x = TensorValue.Random(2, 4, 20), x2 = TensorValue.Random(2, 4, 6);
        TensorValue expected = ModelRunner.Run(
            LevelForm.Reference(source, model, bits, precision), ("x", DequantizedModel.Quantized(x)), ("x2", x2))["y"];
        ModelProto exported = ModelExport.ToQdq(model, new ExportOptions { Bits = precision }).Model;
        using InferenceSession session = ModelRunner.Open(exported, optimize: false);
        Closeness.AssertClose(expected, ModelRunner.Run(session, ("x", x), ("x2", x2))["y"], 1e-5f);
    }

    private static ModelProto Nested(string add)
    {
        ModelProto model = Source(add);
        new NestingPass(new WeightOptions { Bits = new NestedBits(8, 6) }).Run(new ModelContext(model));
        return model;
    }

    private static ModelProto Source(string add) => new GraphBuilder()
        .Input("x", 2, 4, 20)
        .Input("x2", 2, 4, 6)
        .Random("W", 20, 6)
        .Random("B", 6)
        .Random("one", 1)
        .Random("column", 4, 1)
        .Node("p = MatMul(x, W)")
        .Node(add)
        .Output("y")
        .Model();
}
