using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Nesting.Calibrated;
using NestQuant.Passes.Tests.Calibration;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Nesting.Calibrated;

/// <summary>A network that runs a layer at a time has the values of one that runs at once.</summary>
public sealed class LayeredNetworkTests
{
    private const long Everything = long.MaxValue;
    private static readonly ParallelOptions Threads = new() { MaxDegreeOfParallelism = 2 };
    private static readonly float[] Samples = [1, -2, 3, 4, 5, -6];

    /// <param name="limit">Bytes in memory; 0 puts all values into files.</param>
    [Theory]
    [InlineData(Everything)]
    [InlineData(0)]
    [InlineData(40)]
    public void ValuesAreThoseOfTheWholeModel(long limit)
    {
        ModelProto model = Graph().Model();
        using var data = new ArrayData([3, 2], Samples);
        using CalibrationSamples samples = CalibrationSamples.Read(model, data.Set, 3, limit);
        using var network = new LayeredNetwork(model, samples, [], limit, Threads);

        foreach (string value in (string[])["x", "a", "kept", "b", "y"])
        {
            network.Compute(value);
            for (int sample = 0; sample < 3; sample++) Assert.Equal(Expected(model, value, sample), Values(network, value, sample));
        }
    }

    [Fact]
    public void LaterNodesCanBeReplaced()
    {
        ModelProto model = Graph().Model();
        using var data = new ArrayData([3, 2], Samples);
        using CalibrationSamples samples = CalibrationSamples.Read(model, data.Set, 3, Everything);
        using var network = new LayeredNetwork(model, samples, [], Everything, Threads);
        network.Compute("a");

        network.Replace(model.Graph!.Node.Find(node => node.Output[0] == "b")!, GraphBuilder.Parse("b = Mul(a, two)"));
        network.SetInitializer(TensorProto.FromFloats("two", [], [10]));
        network.Compute("b");

        Assert.Equal(Array.ConvertAll(Expected(model, "a", 1), static value => 10 * value), Values(network, "b", 1));
    }

    [Fact]
    public void SamplesAreSpreadOverTheData()
    {
        ModelProto model = new GraphBuilder().Input("x", -1, 1).Node("y = Relu(x)").Output("y").Model();
        using var data = new ArrayData([10, 1], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        using CalibrationSamples samples = CalibrationSamples.Read(model, data.Set, 4, Everything);

        Assert.Equal([0f, 3, 6, 9], Enumerable.Range(0, samples.Count).Select(sample => samples.Values.Get("x", sample).Value
            .GetTensorDataAsSpan<float>()[0]));
        Assert.EndsWith("data.npy: sample 6", samples.Origins[2], StringComparison.Ordinal);
    }

    [Fact]
    public void DataOfAnotherModelIsRefused()
    {
        ModelProto model = Graph().Model();
        using var data = new ArrayData([3, 4], new float[12]);

        ModelException error = Assert.Throws<ModelException>(() => CalibrationSamples.Read(model, data.Set, 3, Everything));
        Assert.Contains("input 'x' takes shape [?, 2], the data has [1, 4]", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Two branches, one of them through a subgraph that reads an outer value.</summary>
    private static GraphBuilder Graph()
    {
        GraphProto body = new GraphBuilder("body").Node("t = Add(a, a)").Output("t").Graph;
        GraphProto other = new GraphBuilder("other").Node("e = Neg(a)").Output("e").Graph;
        return new GraphBuilder()
            .Input("x", -1, 2)
            .Floats("two", [], 2)
            .Constant(TensorProto.FromBytes("yes", TensorDataType.Bool, [], [1]))
            .Node("a = Mul(x, two)")
            .Node("kept = Relu(a)")
            .Node("c = If(yes)", AttributeProto.Graph("then_branch", body), AttributeProto.Graph("else_branch", other))
            .Node("b = Sub(c, kept)")
            .Node("y = Add(b, a)")
            .Output("y");
    }

    private static float[] Expected(ModelProto model, string value, int sample)
    {
        float[] x = Samples[(2 * sample)..((2 * sample) + 2)];
        if (value == "x") return x;
        ModelProto copy = ModelRunner.Clone(model);
        copy.Graph!.Output.Clear();
        copy.Graph.Output.Add(new ValueInfoProto { Name = value });
        return ModelRunner.Run(copy, ("x", TensorValue.Of([1, 2], x)))[value].Floats;
    }

    private static float[] Values(LayeredNetwork network, string value, int sample)
    {
        using StoredValues.Lease lease = network.Get(value, sample);
        return lease.Value.GetTensorDataAsSpan<float>().ToArray();
    }
}
