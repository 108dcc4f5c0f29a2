using NestQuant.Onnx;
using NestQuant.Passes.Cleanup;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Cleanup;

public sealed class CompleteAxesPassTests
{
    private static readonly (string, TensorValue)[] X = [("x", TensorValue.Random(1, 2, 5, 7))];

    [Theory]
    [InlineData("y = Pad(x, pads, , axes)", "constant")]
    [InlineData("y = Pad(x, pads, value, axes)", "constant")]
    [InlineData("y = Pad(x, pads, , axes)", "reflect")]
    public void PadsOfSomeAxesBecomePadsOfAll(string node, string mode)
    {
        ModelProto model = Graph().Node(node, AttributeProto.String("mode", mode)).Output("y").Model(18);
        PassRun run = PassRun.Preserving(new CompleteAxesPass(), model, 0, X);
        NodeProto pad = Assert.Single(run.Graph.Node);
        Assert.Equal(node.Contains("value", StringComparison.Ordinal) ? 3 : 2, pad.Input.Count);
        Assert.Equal([0, 0, 2, 1, 0, 0, -1, 3], run.Graph.Initializer.Find(tensor => tensor.Name == pad.Input[1])!.ToInt64s());
    }

    [Theory]
    [InlineData("y = Resize(x, , scales)", "half_pixel")]
    [InlineData("y = Resize(x, regions, scales)", "tf_crop_and_resize")]
    public void ScalesOfSomeAxesBecomeScalesOfAll(string node, string coordinates)
    {
        AttributeProto[] attributes =
        [
            AttributeProto.String("coordinate_transformation_mode", coordinates), AttributeProto.IntList("axes", 3, -2)
        ];
        ModelProto model = Graph().Node(node, attributes).Output("y").Model(18);
        PassRun run = PassRun.Preserving(new CompleteAxesPass(), model, 0, X);
        NodeProto resize = Assert.Single(run.Graph.Node);
        Assert.DoesNotContain(resize.Attribute, static attribute => attribute.Name == "axes");
        Assert.Equal([1, 1, 2, 3], run.Graph.Initializer.Find(tensor => tensor.Name == resize.Input[2])!.ToFloats());
    }

    /// <summary>What is not known cannot be completed: other extents, computed pads, the rank.</summary>
    [Theory]
    [InlineData("y = Resize(x, , , sizes)", true)]
    [InlineData("y = Pad(x, given, , axes)", false)]
    [InlineData("u = Unknown(x)", false, "y = Pad(u, pads, , axes)")]
    [InlineData("y = Pad(x, pads, , beyond)", false)]
    [InlineData("y = Pad(x, pads, , one)", false)]
    public void OthersStay(string node, bool hasAxes, params string[] more)
    {
        GraphBuilder graph = Graph().Input(TensorDataType.Int64, "given", 4).Int64s("sizes", 9, 8).Int64s("beyond", 1, 4).Int64s("one", 1)
            .Node(node, hasAxes ? [AttributeProto.IntList("axes", 3, -2)] : []);
        foreach (string line in more) graph.Node(line);
        Assert.False(PassRun.Of(new CompleteAxesPass(), graph.Output("y").Model(18), loads: false).Changed);
    }

    private static GraphBuilder Graph() => new GraphBuilder().Input("x", 1, 2, 5, 7)
        .Int64s("pads", 1, 2, 3, -1).Int64s("axes", -1, 2)
        .Floats("value", [], 0.5f).Floats("scales", [2], 3, 2).Floats("regions", [4], 0.1f, 0, 0.9f, 1.2f);
}
