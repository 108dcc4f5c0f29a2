using NestQuant.Onnx;

namespace NestQuant.Data.Tests;

public sealed class SyntheticValuesTests
{
    [Theory]
    [InlineData(NpyType.Boolean, 0, 1)]
    [InlineData(NpyType.Int64, 0, 6)]
    [InlineData(NpyType.UInt8, 0, 255)]
    [InlineData(NpyType.Int8, -128, 127)]
    [InlineData(NpyType.Float16, -1, 1)]
    [InlineData(NpyType.Float64, -1, 1)]
    [InlineData(NpyType.Int32, 1, 1)]
    public void Values_of_every_type_fill_their_range_and_stay_in_it(NpyType type, double low, double high)
    {
        var input = new SyntheticInput(new ModelInput("x", type, [-1, 1000]), [2, 1000], low, high);

        NpyArray array = input.Make(seed: 0, run: 0, position: 0);

        Assert.Equal((type, 2000), (array.Type, array.Count));
        float[] values = array.ToFloats();
        Assert.Equal(low, values.Min(), 0.02);
        Assert.Equal(high, values.Max(), 0.02);
    }

    [Fact]
    public void They_depend_on_seed_run_and_input_alone()
    {
        var input = new SyntheticInput(new ModelInput("x", NpyType.Int64, [-1]), [8], 0, 1e6);
        SyntheticInput[] inputs = [input, input];
        DatasetBatch[] batches = [.. new SyntheticValues(inputs, runs: 2).ReadBatches(1)];

        Assert.Equal(16, new SyntheticValues(inputs, runs: 2).Count);
        long[][] distinct =
        [
            batches[0].Inputs[0].Array.ToInt64s(), batches[0].Inputs[1].Array.ToInt64s(), batches[1].Inputs[0].Array.ToInt64s(),
            new SyntheticValues(inputs, runs: 1, seed: 1).ReadBatches(1).Single().Inputs[0].Array.ToInt64s(),
        ];
        Assert.Equal(4, distinct.DistinctBy(values => string.Join(' ', values)).Count());
        Assert.Equal(distinct[2], new SyntheticValues(inputs, runs: 2).ReadBatches(1).Last().Inputs[0].Array.ToInt64s());
    }

    [Fact]
    public void What_cannot_be_made_is_said()
    {
        var huge = new SyntheticInput(new ModelInput("x", NpyType.Float32, [-1, -1]), [1L << 40, 1L << 40], -1, 1);
        Assert.Contains(
            "'x': values of shape", Assert.Throws<ModelException>(() => huge.Make(0, 0, 0)).Message, StringComparison.Ordinal);
        Assert.Throws<ModelException>(() => new SyntheticValues([], runs: 1));
    }
}
