using CsCheck;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.RuntimeOps.Kernels.GroupNL.Functions;
using NestQuant.RuntimeOps.Schema;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.GroupNL;

public class GroupNLExpandTests
{
    [Fact]
    public void Equals_the_unfused_graph() =>
        ExpansionCase.Cases.Sample(c => AssertEqualsUnfused(c, c.Tolerance()), iter: 60, threads: 1);

    [Fact]
    public void Relu_is_the_clip_from_0_on()
    {
        ExpansionCase c = new(2, 6, [4, 5], [5, 4, 3, 2, 1, 0, 0], seed: 8, hasAffine: true, activation: ActivationNames.Clip)
        {
            Min = 0,
            Max = float.PositiveInfinity,
        };
        AssertEqualsUnfused(c, c.Tolerance());
    }

    /// <summary>
    /// One value that is not finite among ordinary ones, alone in its pixel and in company, and squares that overflow or vanish.
    /// </summary>
    [Theory]
    [InlineData(ActivationNames.None, false)]
    [InlineData(ActivationNames.None, true)]
    [InlineData(ActivationNames.Clip, true)]
    [InlineData(ActivationNames.HardSwish, true)]
    [InlineData(ActivationNames.None, false, GroupNLFunctions.Gaussian)]
    [InlineData(ActivationNames.None, false, GroupNLFunctions.Multiquadric)]
    [InlineData(ActivationNames.None, true, GroupNLFunctions.InverseQuadratic)]
    [InlineData(ActivationNames.Clip, true, GroupNLFunctions.InverseMultiquadric)]
    [InlineData(ActivationNames.None, false, GroupNLFunctions.Monomial)]
    public void Values_that_are_not_finite_give_what_the_unfused_graph_gives(
        string activation, bool hasAffine, string function = GroupNLFunctions.Sine)
    {
        float[] specials =
        [
            float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.MaxValue, -1e30f, 1e25f, 1e-25f, -1e-38f, float.Epsilon, 0,
            -0f,
        ];
        ExpansionCase c = new(
            1, 3, [4, 11], [2, 0, 1, 1], seed: 8, hasAffine: hasAffine, activation: activation)
        {
            Function = Named(function),
        };
        for (int i = 0; i < specials.Length; i++)
        {
            c.X[i] = specials[i];
            c.X[44 + 11 + i] = specials[i];
            c.X[88 + 22 + i] = specials[i];
            for (int map = 0; map < 3; map++)
                c.X[44 * map + 33 + i] = specials[i];
        }

        c.X[44 + 1] = float.NegativeInfinity;
        c.X[44 + 12] = float.NaN;
        AssertEqualsUnfused(c, 4e-6);
    }

    public static TheoryData<string, float, float> UnusualParameters()
    {
        TheoryData<string, float, float> data = [];
        foreach (string function in GroupNLFunctions.All)
        {
            foreach ((float shift, float period) in new[]
                {
                    (float.NaN, 1.5f), (
                        float.PositiveInfinity, 1.5f), (2, float.NegativeInfinity), (2, float.NaN), (1, 0), (-2, 3e20f), (3e38f, 9f),
                })
            {
                // The far sines of ONNX Runtime are its own.
                if (function != GroupNLFunctions.Sine || !float.IsFinite(shift) || !float.IsFinite(period) || period == 0)
                    data.Add(function, shift, period);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(UnusualParameters))]
    public void Parameters_that_are_not_finite_give_what_the_unfused_graph_gives(string function, float shift, float period)
    {
        ExpansionCase c = new(1, 2, [3, 3], [0, 1, 0], seed: 5) { Function = Named(function) };
        c.Shift[1] = shift;
        c.Period[1] = period;
        AssertEqualsUnfused(c, 4e-6);
    }

    [Fact]
    public void Defaults_are_sine_an_epsilon_of_1e_12_channels_second_and_no_activation()
    {
        ExpansionCase c = new(1, 4, [3], [0, 1, 2, 3], seed: 5);
        c.X[0] = c.X[3] = c.X[6] = c.X[9] = 0;
        NodeModel model = GroupNLModels.Expand(c);
        foreach (string name in new[] { "epsilon", "channels_last", "function", "power", "activation", "activation_min", "activation_max" })
            model.Without(name);
        using InferenceSession session = model.Open();
        using InferenceSession expected = GroupNLModels.Expand(c).With(AttributeProto.String("function", "sine")).Open();
        Assert.Equal(Run(expected, c).Data, Run(session, c).Data);
    }

    [Fact]
    public void Trailing_scale_and_bias_need_not_be_named()
    {
        ExpansionCase c = new(1, 4, [3], [0, 1, 2, 3], seed: 5);
        ModelProto model = GroupNLModels.Expand(c).Build();
        model.Graph!.Node[0].Input.RemoveRange(3, 2);
        using InferenceSession session = NodeModel.Open(ModelFile.ToBytes(model), 1);
        using InferenceSession expected = GroupNLModels.Expand(c).Open();
        Assert.Equal(Run(expected, c).Data, Run(session, c).Data);
    }

    [Fact]
    public void A_scale_or_a_bias_may_come_alone()
    {
        ExpansionCase both = new(1, 4, [9], [0, 1, 2, 3, 1], seed: 5, hasAffine: true);
        float[] scale = both.Scale!;
        float[] bias = both.Bias!;
        foreach (bool isChannelsLast in new[] { false, true })
        {
            both.Scale = scale;
            both.Bias = new float[9];
            float[] scaled = RunOnce(both, isChannelsLast);
            both.Bias = null;
            Assert.Equal(scaled, RunOnce(both, isChannelsLast));

            both.Scale = [.. Enumerable.Repeat(1f, 9)];
            both.Bias = bias;
            float[] biased = RunOnce(both, isChannelsLast);
            both.Scale = null;
            Assert.Equal(biased, RunOnce(both, isChannelsLast));
        }
    }

    [Theory]
    [InlineData(false, new[] { -1, 7, 6, 5 })]
    [InlineData(true, new[] { -1, 6, 5, 7 })]
    public void The_output_shape_is_inferred(bool isChannelsLast, int[] expected)
    {
        ExpansionCase c = new(1, 4, [6, 5], [0, 1, 2], seed: 5);
        using InferenceSession session = GroupNLModels.Expand(c, isChannelsLast).Open();
        Assert.Equal(expected, session.OutputMetadata["Y"].Dimensions);
        (float[] y, long[] shape) = Run(session, c, isChannelsLast);
        Assert.Equal([1, .. expected[1..].Select(d => (long)d)], shape);
        Assert.Equal(210, y.Length);
    }

    [Theory]
    [InlineData(new long[] { 0, 4, 6, 5 })]
    [InlineData(new long[] { 2, 4, 0, 5 })]
    public void An_empty_input_gives_an_empty_output(long[] shape)
    {
        ModelProto model = GroupNLModels.Expand(new ExpansionCase(1, 4, [6, 5], [0, 1, 2], seed: 5)).Build();
        model.Graph!.Input.First(i => i.Name == "X").Type!.TensorType!.Shape = null;
        using InferenceSession session = NodeModel.Open(ModelFile.ToBytes(model), 1);
        (float[] y, long[] outputShape) = session.Run(("X", SessionRuns.Tensor(Array.Empty<float>(), shape)));
        Assert.Empty(y);
        Assert.Equal([shape[0], 7, shape[2], shape[3]], outputShape);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_number_of_threads_changes_nothing(bool isChannelsLast)
    {
        ExpansionCase c = new(2, 40, [30, 31], [.. Enumerable.Range(0, 80).Select(g => g * 7 % 40)], seed: 5, hasAffine: true);
        float[] reference = RunOnce(c, isChannelsLast);
        using InferenceSession session = GroupNLModels.Expand(c, isChannelsLast).Open(threads: 3);
        GroupNLExpansionTests.AssertSameBits(reference, Run(session, c, isChannelsLast).Data);
    }

    private static MapFunction Named(string function) =>
        ExpansionCase.Of((MapFunctionKind)GroupNLFunctions.All.ToList().IndexOf(function), 3);

    internal static (float[] Data, long[] Shape) Run(InferenceSession session, ExpansionCase c, bool isChannelsLast = false) =>
        session.Run(("X", isChannelsLast
            ? SessionRuns.Tensor(ExpansionCase.ToChannelsLast(c.X, c.Batch, c.Seeds), [c.Batch, .. c.Spatial.Select(d => (long)d), c.Seeds])
            : SessionRuns.Tensor(c.X, [c.Batch, c.Seeds, .. c.Spatial.Select(d => (long)d)])));

    private static float[] RunOnce(ExpansionCase c, bool isChannelsLast)
    {
        using InferenceSession session = GroupNLModels.Expand(c, isChannelsLast).Open();
        return Run(session, c, isChannelsLast).Data;
    }

    private static void AssertEqualsUnfused(ExpansionCase c, double tolerance)
    {
        using InferenceSession unfused = NodeModel.Open(ModelFile.ToBytes(GroupNLModels.Unfused(c)), 1);
        using InferenceSession fused = GroupNLModels.Expand(c).Open(threads: 2);
        using InferenceSession channelsLast = GroupNLModels.Expand(c, isChannelsLast: true).Open(threads: 2);
        (float[] expected, long[] shape) = Run(unfused, c);
        (float[] planes, long[] planeShape) = Run(fused, c);
        Assert.Equal(shape, planeShape);
        AssertSame(expected, planes, tolerance);
        AssertSame(ExpansionCase.ToChannelsLast(expected, c.Batch, c.Maps), Run(channelsLast, c, isChannelsLast: true).Data, tolerance);
    }

    private static void AssertSame(float[] expected, float[] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            bool isSame = float.IsFinite(expected[i])
                ? Math.Abs(expected[i] - actual[i]) <= tolerance * Math.Max(1, Math.Abs(expected[i]))
                : expected[i].Equals(actual[i]);
            if (!isSame)
                Assert.Fail($"[{i}]: {expected[i]:R} expected, {actual[i]:R} found");
        }
    }
}
