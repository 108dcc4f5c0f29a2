using NestQuant.Onnx;
using NestQuant.Passes.Cleanup;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Cleanup;

/// <summary>Sparse initializers, against ONNX Runtime, which makes them dense itself.</summary>
public sealed class SparseWeightsPassTests
{
    private static readonly (string, TensorValue) X = ("x", TensorValue.Random(2, 2));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AWeightBecomesDense(bool coordinates)
    {
        TensorProto indices = coordinates
            ? TensorProto.FromInt64s("", [2, 2], [0, 1, 1, 2])
            : TensorProto.FromInt64s("", [2], [1, 5]);
        PassRun run = PassRun.Preserving(new SparseWeightsPass(), Model("MatMul(x, W)", [2, 3], indices).Model(), 0, X);
        Assert.Empty(run.Graph.SparseInitializer);
        Assert.Equal([0, 2, 0, 0, 0, 3], run.Graph.Initializer[0].ToFloats());
        Assert.True(run.About("W").Rewritten);
    }

    [Fact]
    public void AWeightThatIsSmallerSparseStays()
    {
        PassRun run = PassRun.Of(
            new SparseWeightsPass(), Model("MatMul(x, W)", [2, 100], TensorProto.FromInt64s("", [2], [1, 5])).Model());
        Assert.Equal("it takes 24 bytes sparse, and has 200 elements", run.ReasonFor("W"));
    }

    [Fact]
    public void WhatIsNoWeightStays()
    {
        PassRun run = PassRun.Of(new SparseWeightsPass(), Model("Add(x, W)", [2, 2], TensorProto.FromInt64s("", [2], [1, 3])).Model());
        Assert.False(run.Changed);
        Assert.Empty(run.Decisions);
    }

    [Theory]
    [InlineData(6)]
    [InlineData(-1)]
    public void AValueOutsideIsAnError(long position) => Assert.Contains(
        "outside of its shape",
        Assert.Throws<ModelException>(
            () => PassRun.Of(
                new SparseWeightsPass(), Model("MatMul(x, W)", [2, 3], TensorProto.FromInt64s("", [2], [1, position])).Model())).Message,
        StringComparison.Ordinal);

    private static GraphBuilder Model(string node, long[] dims, TensorProto indices)
    {
        GraphBuilder graph = new GraphBuilder().Input("x", 2, 2).Node($"y = {node}").Output("y");
        var sparse = new SparseTensorProto { Values = TensorProto.FromFloats("W", [2], [2, 3]), Indices = indices };
        sparse.Dims.AddRange(dims);
        graph.Graph.SparseInitializer.Add(sparse);
        return graph;
    }
}
