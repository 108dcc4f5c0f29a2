using CsCheck;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.RuntimeOps.Schema;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Operators;

public class QLinearAffineTests
{
    private static readonly Gen<AffineCase> Cases =
        from channels in Gen.Int[1, 70]
        from before in Gen.Int[1, 4]
        from after in Gen.OneOf(Gen.Const(1), Gen.Int[2, 40])
        from parameters in Gen.Int[0, 7]
        from zeroPoints in Gen.Select(Gen.Byte, Gen.Byte)
        from bounds in Gen.OneOf(Gen.Const((0, 255)), Gen.Const((30, 200)))
        from yScale in Gen.OneOf(Gen.Const(0.004f), Gen.Const(0.05f), Gen.Const(1e-9f))
        from seed in Gen.Int
        select new AffineCase([before, channels, after], -2, parameters, zeroPoints.Item1, zeroPoints.Item2, bounds, yScale, seed);

    /// <summary>Few and many channels, both orders of axes, and results beyond what vectors round.</summary>
    [Fact]
    public void Every_result_is_that_of_the_formula() => Cases.Sample(static c => c.Verify(), iter: 60, threads: 1);

    [Theory]
    [InlineData(-1, 2, 5, 33)]
    [InlineData(-1, 40)]
    [InlineData(-4, 5, 2, 3, 4)]
    [InlineData(-3, 1, 64, 56, 57)]
    [InlineData(-1, 3, 0)]
    [InlineData(-2, 0, 3, 2)]
    [InlineData(-1, 1500, 96)]
    public void Channels_may_be_any_axis(int axis, params int[] shape) =>
        new AffineCase([.. shape.Select(static extent => (long)extent)], axis, 7, 100, 30, (0, 255), 0.02f, 5).Verify(threads: 2);

    [Fact]
    public void Output_type_and_shape_are_inferred()
    {
        using InferenceSession session = Model([-1, 4, 3], 3).Open();
        Assert.Equal(typeof(byte), session.OutputMetadata["Y"].ElementType);
        Assert.Equal([-1, 4, 3], session.OutputMetadata["Y"].Dimensions);
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        Refused("attribute 'axis' is 1", Model([2, 3], 3).With(AttributeProto.Int("axis", 1)));
        Refused("attribute 'axis' is -3, and X has 2 dimensions", Model([2, 3], 3).With(AttributeProto.Int("axis", -3)));
        Refused("attribute 'axis' is -9223372036854775808", Model([2, 3], 3).With(AttributeProto.Int("axis", long.MinValue)));
        Refused("attribute 'axis' is not an int", Model([2, 3], 3).With(AttributeProto.Float("axis", 1)));
        Refused("clamp_min is 9 and clamp_max is 8", Model([2, 3], 3)
            .With(AttributeProto.Int("clamp_min", 9))
            .With(AttributeProto.Int("clamp_max", 8)));
        Refused("input 'slope' has 4 elements, 3 expected", Model([2, 3], 3).Constant(Floats("slope", 1, 1, 1, 1)));
        Refused("the factors of channel 1 are not finite", Model([2, 3], 3).Constant(Floats("scale", 1, float.NaN, 1)));
        Refused("the factors of channel 2 are not finite", Model([2, 3], 3).Constant(Floats("bias", 1, 1, float.PositiveInfinity)));
        Refused("the factors of channel 0 are not finite", Model([2, 3], 3).Constant(Floats("slope", 3e38f, 1, 1)));
        Refused("x_scale is 0", Model([2, 3], 3).Constant(TensorProto.FromFloats("x_scale", [], [0f])));
        Refused("y_scale is NaN", Model([2, 3], 3).Constant(TensorProto.FromFloats("y_scale", [], [float.NaN])));
        Refused("bias", Model([2, 3], 3).Constant(TensorProto.FromInt64s("bias", [3], [1, 2, 3])));

        static void Refused(string expected, NodeModel model) =>
            OperatorErrorTests.Expect(expected, model, ("X", SessionRuns.Tensor(new byte[6], 2, 3)));
    }

    private static NodeModel Model(long[] shape, int channels) =>
        new NodeModel(OperatorNames.QLinearAffine) { OutputType = TensorDataType.UInt8 }
        .Fed("X", TensorDataType.UInt8, shape)
        .Constant(TensorProto.FromFloats("x_scale", [], [0.1f]))
        .Constant(TensorProto.FromBytes("x_zero_point", TensorDataType.UInt8, [], [3]))
        .Constant(Floats("scale", [.. Enumerable.Repeat(2f, channels)]))
        .Constant(Floats("bias", [.. Enumerable.Repeat(-1f, channels)]))
        .Constant(Floats("slope", [.. Enumerable.Repeat(0.25f, channels)]))
        .Constant(TensorProto.FromFloats("y_scale", [], [0.2f]))
        .Constant(TensorProto.FromBytes("y_zero_point", TensorDataType.UInt8, [], [5]));

    private static TensorProto Floats(string name, params float[] values) => TensorProto.FromFloats(name, [values.Length], values);

    /// <summary>A node, run against its formula.</summary>
    /// <param name="Given">Bits 0 to 2: whether scale, bias and slope are there.</param>
    private sealed record AffineCase(
        long[] Shape, int Axis, int Given, byte XZeroPoint, byte YZeroPoint, (int Min, int Max) Bounds, float YScale, int Seed)
    {
        private const float XScale = 0.03f;

        public void Verify(int threads = 1)
        {
            var random = new Random(Seed);
            int channels = (int)Shape[Shape.Length + Axis];
            float[]? scale = Factors(1, -1, 1), bias = Factors(2, -2, 2), slope = Factors(4, -0.5f, 1.5f);
            byte[] x = new byte[Shape.Aggregate(1L, static (count, extent) => count * extent)];
            random.NextBytes(x);
            NodeModel model = Model(Shape, channels)
                .With(AttributeProto.Int("axis", Axis))
                .With(AttributeProto.Int("clamp_min", Bounds.Min))
                .With(AttributeProto.Int("clamp_max", Bounds.Max))
                .Constant(TensorProto.FromFloats("x_scale", [], [XScale]))
                .Constant(TensorProto.FromBytes("x_zero_point", TensorDataType.UInt8, [], [XZeroPoint]))
                .Constant(TensorProto.FromFloats("y_scale", [], [YScale]))
                .Constant(TensorProto.FromBytes("y_zero_point", TensorDataType.UInt8, [], [YZeroPoint]));
            Give("scale", scale);
            Give("bias", bias);
            Give("slope", slope);
            using InferenceSession session = model.Open(threads);
            (byte[] y, long[] shape) = session.Run<byte>(("X", SessionRuns.Tensor(x, Shape)));

            Assert.Equal(Shape, shape);
            long inner = Shape[(Shape.Length + Axis + 1)..].Aggregate(1L, static (count, extent) => count * extent);
            Assert.Equal(x.Select((value, i) => Result(value, (int)(i / inner % channels))), y);

            void Give(string name, float[]? values) => _ = values is null ? model.Absent(name) : model.Constant(Floats(name, values));

            float[]? Factors(int bit, float from, float to) => (Given & bit) == 0 ? null
                : [.. Enumerable.Range(0, channels).Select(_ => from + ((to - from) * random.NextSingle()))];

            byte Result(byte value, int c)
            {
                float factor = (scale is null ? XScale : XScale * scale[c]) / YScale;
                float product = (value - XZeroPoint) * factor;
                float v = product + (bias is null ? 0 : bias[c] / YScale);
                if (v < 0) v *= slope?[c] ?? 1;
                double rounded = Math.Round((double)v, MidpointRounding.ToEven) + YZeroPoint;
                return (byte)Math.Clamp(rounded, Bounds.Min, Bounds.Max);
            }
        }
    }
}
