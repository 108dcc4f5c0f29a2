using CsCheck;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.RuntimeOps.Operators;
using NestQuant.RuntimeOps.Schema;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Operators;

public class QLinearResizeTests
{
    /// <summary>Room for sums in another order where the result lies between two integers.</summary>
    private const float Tie = 0.5f + 1e-3f;

    private static readonly Gen<(long[] Shape, string Coordinates, float[]? Scales, long[]? Sizes)> Cases =
        from n in Gen.Long[1, 2]
        from h in Gen.Long[1, 7]
        from w in Gen.Long[1, 7]
        from c in Gen.Long[1, 35]
        from coordinates in Gen.OneOf(ResizeCoordinates.All.ToArray())
        from sized in Gen.Bool
        from sizes in Gen.Long[1, 15].Array[2]
        from scales in Gen.OneOf(0.5f, 1f, 1.7f, 2f, 3f, 0.7f).Array[2]
        where sized || (h * scales[0] >= 1 && w * scales[1] >= 1)
        select (new[] { n, h, w, c }, coordinates, sized ? null : scales, sized ? sizes : null);

    /// <summary>ONNX Runtime's Resize of floats, channels first, rounded to the nearest integer.</summary>
    [Fact]
    public void It_is_the_nearest_integer_to_what_onnx_runtime_interpolates() => Cases.Sample(
        static tried =>
        {
            byte[] x = Bytes(tried.Shape);
            using InferenceSession session = Model(tried.Shape, tried.Coordinates, tried.Scales, tried.Sizes).Open();
            (byte[] y, long[] shape) = session.Run<byte>(("X", SessionRuns.Tensor(x, tried.Shape)));
            (float[] expected, long[] expectedShape) = Interpolated(x, tried.Shape, tried.Coordinates, tried.Scales, tried.Sizes);
            Assert.Equal(expectedShape, shape);
            for (int i = 0; i < y.Length; i++) Assert.InRange(MathF.Abs(y[i] - expected[i]), 0, Tie);
        },
        iter: 100, threads: 1);

    [Fact]
    public void Ties_go_to_even() =>
        Assert.Equal([2, 2, 3, 4, 4], Run([1, 1, 3, 1], [2, 3, 4], "align_corners", sizes: [1, 5]));

    [Fact]
    public void Several_threads_give_the_same_bytes()
    {
        long[] shape = [2, 40, 50, 33];
        byte[] x = Bytes(shape);
        NodeModel model = Model(shape, "half_pixel", [2, 2], null);
        using InferenceSession one = model.Open(), two = model.Open(threads: 2);
        Assert.Equal(
            one.Run<byte>(("X", SessionRuns.Tensor(x, shape))).Item1, two.Run<byte>(("X", SessionRuns.Tensor(x, shape))).Item1);
    }

    [Fact]
    public void Output_type_and_shape_are_inferred()
    {
        using InferenceSession session = Model([-1, 4, 3, 8], "half_pixel", [2, 2], null).Open();
        Assert.Equal(typeof(byte), session.OutputMetadata["Y"].ElementType);
        Assert.Equal([-1, -1, -1, 8], session.OutputMetadata["Y"].Dimensions);
    }

    [Theory]
    [InlineData("nearest", new[] { 2f, 2f }, null, "'coordinate_transformation_mode' is 'nearest'")]
    [InlineData("half_pixel", new[] { 2f }, null, "'scales' has 1 elements")]
    [InlineData("half_pixel", new[] { 2f, float.NaN }, null, "'scales' holds NaN")]
    [InlineData("half_pixel", new[] { 2f, -1f }, null, "'scales' holds -1")]
    [InlineData("half_pixel", new[] { 2f, 0.1f }, null, "extent 0")]
    [InlineData("half_pixel", new[] { 2f, 1e30f }, null, "extent")]
    [InlineData("half_pixel", null, new[] { 2L }, "'sizes' has 1 elements")]
    [InlineData("half_pixel", null, new[] { 2L, -3L }, "extent -3")]
    [InlineData("half_pixel", null, new[] { 2L, 1L << 40 }, "extent")]
    [InlineData("half_pixel", null, null, "'sizes' has no value")]
    public void What_cannot_be_resized_is_refused(string coordinates, float[]? scales, long[]? sizes, string expected)
    {
        long[] shape = [1, 2, 3, 4];
        OperatorErrorTests.Expect(
            expected, Model(shape, coordinates, scales, sizes), ("X", SessionRuns.Tensor(Bytes(shape), shape)));
    }

    [Theory]
    [InlineData(new long[] { 2, 3, 4 }, "3 dimensions")]
    [InlineData(new long[] { 1, 0, 3, 4 }, "extent 0")]
    public void Other_shapes_are_refused(long[] shape, string expected) => OperatorErrorTests.Expect(
        expected, Model(shape, "half_pixel", [2, 2], null), ("X", SessionRuns.Tensor(Bytes(shape), shape)));

    [Fact]
    public void No_samples_give_no_samples() => Assert.Empty(Run([0, 2, 3, 4], [], "half_pixel", sizes: [4, 4]));

    private static byte[] Run(long[] shape, byte[] x, string coordinates, long[] sizes)
    {
        using InferenceSession session = Model(shape, coordinates, null, sizes).Open();
        return session.Run<byte>(("X", SessionRuns.Tensor(x, shape))).Item1;
    }

    private static (float[] Values, long[] Shape) Interpolated(
        byte[] x, long[] shape, string coordinates, float[]? scales, long[]? sizes)
    {
        GraphBuilder graph = new GraphBuilder().Input("x", shape).Node("f = Transpose(x)", AttributeProto.IntList("perm", 0, 3, 1, 2));
        string operands = scales is null ? ", , sizes" : ", scales";
        if (scales is null) graph.Int64s("sizes", shape[0], shape[3], sizes![0], sizes[1]);
        else graph.Floats("scales", [4], 1, 1, scales[0], scales[1]);
        ModelProto model = graph
            .Node(
                $"r = Resize(f, {operands})",
                AttributeProto.String("mode", "linear"),
                AttributeProto.String("coordinate_transformation_mode", coordinates))
            .Node("y = Transpose(r)", AttributeProto.IntList("perm", 0, 2, 3, 1))
            .Output("y")
            .Model();
        using InferenceSession session = NodeModel.Open(ModelFile.ToBytes(model), 1);
        return session.Run<float>(("x", SessionRuns.Tensor(Array.ConvertAll(x, static value => (float)value), shape)));
    }

    private static byte[] Bytes(long[] shape)
    {
        byte[] values = new byte[shape.Aggregate(1L, static (count, extent) => count * Math.Max(extent, 0))];
        new Random(5).NextBytes(values);
        return values;
    }

    private static NodeModel Model(long[] shape, string coordinates, float[]? scales, long[]? sizes)
    {
        NodeModel model = new NodeModel(OperatorNames.QLinearResize) { OutputType = TensorDataType.UInt8 }
            .Fed("X", TensorDataType.UInt8, shape)
            .With(AttributeProto.String("coordinate_transformation_mode", coordinates));
        model = scales is null ? model.Absent("scales") : model.Constant(TensorProto.FromFloats("scales", [scales.Length], scales));
        return sizes is null ? model : model.Constant(TensorProto.FromInt64s("sizes", [sizes.Length], sizes));
    }
}
