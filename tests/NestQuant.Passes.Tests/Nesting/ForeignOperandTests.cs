using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Nesting;

/// <summary>Operands that another compilation wrote.</summary>
public sealed class ForeignOperandTests
{
    [Fact]
    public void Equal_weights_have_equal_tags_and_others_have_others()
    {
        Assert.Equal(Tags(Compile(WeightRounding.Adaptive)), Tags(Compile(WeightRounding.Adaptive)));
        Assert.Equal(Tags(Compile(WeightRounding.Adaptive)), Tags(PartModel.From(Compile(WeightRounding.Adaptive))!));
        Assert.NotEqual(Tags(Compile(WeightRounding.Adaptive)), Tags(Compile(WeightRounding.Nearest)));
    }

    [Fact]
    public void Nodes_that_share_a_weight_share_its_tag()
    {
        ModelProto source = new GraphBuilder().Input("x", 1, 3, 5, 5).Random("W", 3, 3, 1, 1)
            .Node("a = Conv(x, W)").Node("y = Conv(a, W)").Output("y").Model();
        ModelProto model = PassRun.Of(new NestingPass(new WeightOptions { Bits = new NestedBits(8, 6) }), source).Model;
        string[] tags = Tags(model);
        Assert.Equal(2, tags.Length);
        Assert.Equal(tags[0], tags[1]);
    }

    /// <summary>The body of a loop has its operands from outside.</summary>
    [Fact]
    public void In_the_body_of_a_loop_an_operand_of_another_compile_is_refused_too()
    {
        ModelProto model = Compile(WeightRounding.Adaptive), other = Compile(WeightRounding.Nearest);
        Assert.Contains(model.MainGraph().Node, static node => node.OpType == "Loop");
        int low = model.MainGraph().Initializer.FindIndex(static tensor => tensor.ExternalGroup == "low");
        model.MainGraph().Initializer[low] = other.MainGraph().Initializer[low];

        OnnxRuntimeException error = Assert.Throws<OnnxRuntimeException>(() => ModelRunner.Open(model));
        Assert.Contains("input 'W_low' belongs to another compilation", error.Message, StringComparison.Ordinal);
        Assert.Contains(
            "'W_low' belongs to another compilation",
            Assert.Throws<ModelException>(() => NestedOperator.Of(model)).Message,
            StringComparison.Ordinal);
    }

    private static string[] Tags(ModelProto model) => [.. NestedOperator.Of(model).Select(static nested => nested.Tag.ToString()!)];

    private static ModelProto Compile(WeightRounding rounding)
    {
        GraphBuilder body = new GraphBuilder("body").Node("v_out = Conv(v, W)", AttributeProto.IntList("pads", 1, 1, 1, 1));
        ModelProto source = new GraphBuilder()
            .Input("x", 1, 3, 5, 5)
            .Random("W", 3, 3, 3, 3)
            .Loop("y", "x", body, 1, 3, 5, 5)
            .Output("y")
            .Model();
        var options = new WeightOptions { Bits = new NestedBits(8, 6), Rounding = rounding };
        return PassRun.Of(new NestingPass(options, ActivationMode.WeightOnly), source).Model;
    }
}
