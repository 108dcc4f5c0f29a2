using NestQuant.Onnx;

namespace NestQuant.Data.Tests;

public sealed class OpenAxesTests
{
    private static readonly ModelInput Ids = new("ids", NpyType.Int64, [-1, -1]) { Axes = ["batch", "sequence"] };
    private static readonly ModelInput State = new("state", NpyType.Float32, [2, -1, -1, 16]) { Axes = [null, "batch", "sequence", null] };
    private static readonly ModelInput Image = new("image", NpyType.Float32, [-1, 3, -1, -1]);

    [Fact]
    public void Axes_of_one_symbol_are_equally_long()
    {
        Assert.Equal(["3,128", "2,3,128,16"], Close([Ids, State], []));
        Assert.Equal(["3,64", "2,3,64,16"], Close([Ids, State], new() { ["sequence"] = 64 }));
        Assert.Equal(["5,32", "2,5,32,16"], Close([Ids, State], new() { ["state:1"] = 5, ["ids:1"] = 32 }));
    }

    [Fact]
    public void Axes_without_a_symbol_are_named_by_their_place()
    {
        Assert.Equal(["3,3,224,224"], Close([Image], []));
        Assert.Equal(["3,3,48,320"], Close([Image], new() { ["image:2"] = 48, ["image:3"] = 320 }));
    }

    [Theory]
    [InlineData("seq", "shape 'seq': no such axis is open: the model leaves open 'batch', 'sequence'")]
    [InlineData("state:0", "shape 'state:0': no such axis is open")]
    public void An_axis_that_is_not_open_is_said(string axis, string message) =>
        Assert.StartsWith(
            message, Assert.Throws<ModelException>(() => Close([Ids, State], new() { [axis] = 4 })).Message, StringComparison.Ordinal);

    private static IEnumerable<string> Close(ModelInput[] inputs, Dictionary<string, int> extents) =>
        OpenAxes.Close(inputs, extents, batch: 3).Select(shape => string.Join(',', shape));
}
