using NestQuant.Onnx;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Nesting;

public sealed class TiedTablesPassTests
{
    private static readonly (string, TensorValue)[] Feeds =
        [("x", TensorValue.Random(2, 3, 4)), ("i", TensorValue.OfInt64([2], 4, -1))];

    [Fact]
    public void AProductByTheTransposedTableReadsTheTable()
    {
        PassRun run = PassRun.Preserving(new TiedTablesPass(), Tied().Node("z = MatMul(x, V)").Output("e", "y", "z").Model(), 0, Feeds);
        Assert.True(run.Changed);
        Assert.False(run.HasInitializer("V"));
        Assert.Equal(2, run.Ops.Count(static op => op == "Transpose"));
        Assert.Contains("'V' is the table 'W' transposed", run.About("y").Note, StringComparison.Ordinal);
    }

    [Fact]
    public void OneOtherValueIsAnotherWeight() =>
        Assert.False(PassRun.Of(new TiedTablesPass(), Tied(change: 1e-6f).Output("e", "y").Model()).Changed);

    /// <summary>A symmetric table is its own transpose, and read already.</summary>
    [Fact]
    public void AProductThatReadsTheTableItselfStays()
    {
        ModelProto model = new GraphBuilder().Input("x", 2, 2).Input(TensorDataType.Int64, "i", 2).Floats("W", [2, 2], 1, 2, 2, 1)
            .Node("e = Gather(W, i)").Node("y = MatMul(x, W)").Output("e", "y").Model();
        Assert.False(PassRun.Of(new TiedTablesPass(), model).Changed);
    }

    [Fact]
    public void AWeightThatIsNoTableStays()
    {
        ModelProto model = new GraphBuilder().Input("x", 2, 2).Floats("W", [2, 2], 1, 2, 3, 4).Floats("V", [2, 2], 1, 3, 2, 4)
            .Node("a = MatMul(x, W)").Node("y = MatMul(a, V)").Output("y").Model();
        Assert.False(PassRun.Of(new TiedTablesPass(), model).Changed);
    }

    private static GraphBuilder Tied(float change = 0)
    {
        GraphBuilder graph = new GraphBuilder().Input("x", 2, 3, 4).Input(TensorDataType.Int64, "i", 2).Random("W", 5, 4)
            .Node("e = Gather(W, i)").Node("y = MatMul(x, V)");
        float[] table = graph.Graph.Initializer[0].ToFloats();
        float[] transposed = [.. Enumerable.Range(0, 20).Select(i => table[(i % 5 * 4) + (i / 5)])];
        transposed[^1] += change;
        return graph.Floats("V", [4, 5], transposed);
    }
}
