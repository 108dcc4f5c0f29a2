using CsCheck;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Operators;

public class NestedGatherTests
{
    [Fact]
    public void Gives_the_rows_of_the_dequantized_table_at_every_level() =>
        (from rows in Gen.Int[1, 70]
         from length in Gen.Int[1, 90]
         from bits in Gen.OneOf("8:6", "8:4", "3:2", "7:3", "8:6:4:3:2", "8:7:6:5:4:3:2", "6:5:2")
         from largestZeroPoint in Gen.OneOf(0, 200, int.MaxValue)
         from hasPartRows in Gen.Bool
         from indices in Gen.Int[-rows, rows - 1].Array[0, 12]
         from seed in Gen.Int[0, int.MaxValue]
         select (rows, length, bits, largestZeroPoint, hasPartRows, indices, seed)).Sample(
            t =>
            {
                NestedBits bits = NestedBits.Parse(t.bits);
                using InferenceSession session = NestedModels.Gather(
                    Case(bits.Full), TensorDataType.Int64, [t.length], t.indices.Length).Open();
                foreach (int level in bits.Levels)
                {
                    float[] expected = RowsOf(Case(level), t.indices);
                    (float[] y, long[] shape) = session.Run(
                        ("indices", SessionRuns.Tensor<long>([.. t.indices], t.indices.Length)),
                        ("bits", SessionRuns.Tensor<int>([level])));
                    Assert.Equal([t.indices.Length, t.length], shape);
                    Assert.Equal(expected, y);
                }

                ConvolutionCase Case(int level) => Table(t.rows, t.length, bits, t.seed, t.largestZeroPoint, level, t.hasPartRows);
            },
            iter: 60,
            threads: 1);

    [Theory]
    [InlineData(new long[] { }, new long[] { 20 })]
    [InlineData(new long[] { 2, 3 }, new long[] { 4, 5 })]
    [InlineData(new long[] { 6 }, new long[] { 5, 2, 2 })]
    [InlineData(new long[] { 2, 0 }, new long[] { 20 })]
    public void The_shape_is_that_of_the_indices_and_then_that_of_a_row(long[] indexShape, long[] rowShape)
    {
        ConvolutionCase c = Table(7, 20, "8:6");
        int[] indices = [.. new[] { 3, -7, 6, 0, -1, 3 }.Take((int)indexShape.Aggregate(1L, static (a, b) => a * b))];
        using InferenceSession wide = NestedModels.Gather(c, TensorDataType.Int64, rowShape, indexShape).Open();
        using InferenceSession narrow = NestedModels.Gather(c, TensorDataType.Int32, rowShape, indexShape).Open();
        long[] expectedShape = [.. indexShape, .. rowShape];
        Assert.Equal(expectedShape, wide.OutputMetadata["Y"].Dimensions.Select(static d => (long)d));
        (float[] y, long[] shape) = wide.Run(("indices", SessionRuns.Tensor<long>([.. indices], indexShape)));
        Assert.Equal(expectedShape, shape);
        Assert.Equal(RowsOf(c, indices), y);
        Assert.Equal(y, narrow.Run(("indices", SessionRuns.Tensor(indices, indexShape))).Data);
    }

    [Fact]
    public void The_number_of_threads_makes_no_difference()
    {
        ConvolutionCase c = Table(300, 768, "8:4");
        int[] indices = [.. Enumerable.Range(0, 1000).Select(static i => i * 37 % 600 - 300)];
        float[] expected = RowsOf(c, indices);
        foreach (int threads in (int[])[1, 4])
        {
            using InferenceSession session = NestedModels.Gather(c, TensorDataType.Int64, [768], 1000).Open(threads);
            Assert.Equal(expected, session.Run(("indices", SessionRuns.Tensor<long>([.. indices], 1000))).Data);
        }
    }

    /// <summary>A table whose rows are the output channels of a product.</summary>
    internal static ConvolutionCase Table(int rows, int length, string bits) =>
        Table(rows, length, NestedBits.Parse(bits), seed: 5, largestZeroPoint: 0, NestedBits.Parse(bits).Full, hasPartRows: true);

    private static ConvolutionCase Table(
        int rows, int length, NestedBits bits, int seed, int largestZeroPoint, int level, bool hasPartRows) =>
        new(
            new ConvolutionGeometry(1, ConvolutionAxis.Single, ConvolutionAxis.Rows(1), 1, length, rows),
            bits, seed, largestZeroPoint, level, hasPartRows: hasPartRows);

    private static float[] RowsOf(ConvolutionCase table, int[] indices)
    {
        float[] weights = table.DequantizedWeights();
        int rows = table.Layout.View.OutputChannels, length = table.Layout.View.WeightsPerChannel;
        return [.. indices.SelectMany(index => weights.AsSpan((index < 0 ? index + rows : index) * length, length).ToArray())];
    }
}
