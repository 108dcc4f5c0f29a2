using CsCheck;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Operators;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions;
using NestQuant.RuntimeOps.Tests.Operators;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.GroupNL;

public class NestedGroupNLConvTests
{
    [Fact]
    public void Equals_the_two_operators_bit_for_bit() =>
        (from geometry in ConvolutionCase.Geometries
         from source in ExpansionCase.Sources(geometry.OutputChannels)
         from seed in Gen.Int[0, int.MaxValue]
         from isPart in Gen.Bool
         from hasAffine in Gen.Bool
         from activation in Gen.OneOf(
             Gen.Const(ActivationNames.None), Gen.Const(ActivationNames.Clip), Gen.Const(ActivationNames.HardSwish))
         select (geometry, source, seed, isPart, hasAffine, activation)).Sample(
            (geometry, source, seed, isPart, hasAffine, activation) =>
            {
                ConvolutionCase c = new(geometry, new NestedBits(8, 5), seed, seed % 2 * 200, isPart);
                AssertEqualsTwoOperators(c, source, isPart ? 5 : 8, hasAffine, activation, threads: 2);
            },
            iter: 40,
            threads: 1);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Several_panels_and_parts_meet_in_every_row(int threads)
    {
        ConvolutionAxis axis = new(23, 3, 1, 1, 1, 23);
        ConvolutionCase c = new(new ConvolutionGeometry(2, axis, axis, 1, 12, 200), new NestedBits(8, 6), 3, 0, isPart: false);
        AssertEqualsTwoOperators(c, [.. Enumerable.Range(0, 200)], 8, hasAffine: true, ActivationNames.HardSwish, threads);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Depthwise_seeds_of_several_panels_meet_in_every_row(int threads)
    {
        ConvolutionAxis axis = new(23, 3, 1, 1, 1, 23);
        ConvolutionCase c = new(new ConvolutionGeometry(2, axis, axis, 100, 1, 100), new NestedBits(8, 6), 3, 0, isPart: false);
        AssertEqualsTwoOperators(c, [.. Enumerable.Range(0, 100)], 8, hasAffine: true, ActivationNames.Clip, threads);
    }

    [Fact]
    public void One_dimensional_convolutions_take_NWC()
    {
        ConvolutionAxis width = new(11, 3, 2, 1, 1, 6);
        ConvolutionCase c = new(
            new ConvolutionGeometry(2, ConvolutionAxis.Single, width, 1, 5, 9), new NestedBits(7, 4), 2, 0, isPart: false);
        ExpansionCase expansion = new(2, 9, [6], [8, 0, 4], seed: 1);
        using InferenceSession fused = OneDimensional(Model(c, expansion)).Open();
        using InferenceSession convolution = OneDimensional(NestedModels.Conv(c)).Open();
        using InferenceSession expand = GroupNLModels.Expand(expansion, isChannelsLast: true).Open();
        (float[] y, long[] shape) = fused.Run(("X", SessionRuns.Tensor(c.X, 2, 11, 5)));
        (float[] seeds, long[] seedShape) = convolution.Run(("X", SessionRuns.Tensor(c.X, 2, 11, 5)));
        Assert.Equal([2, 6, 12], shape);
        GroupNLExpansionTests.AssertSameBits(expand.Run(("X", SessionRuns.Tensor(seeds, seedShape))).Data, y);
    }

    [Fact]
    public void The_output_shape_is_inferred_as_far_as_it_is_known()
    {
        using InferenceSession session = Small().Open();
        Assert.Equal([-1, 6, 5, 7], session.OutputMetadata["Y"].Dimensions);
    }

    [Fact]
    public void An_empty_batch_gives_an_empty_output()
    {
        using InferenceSession session = Small().Open();
        (float[] y, long[] shape) = session.Run(("X", SessionRuns.Tensor(Array.Empty<byte>(), 0, 6, 5, 3)));
        Assert.Empty(y);
        Assert.Equal([0, 6, 5, 7], shape);
    }

    [Fact]
    public void Precision_can_change_from_run_to_run()
    {
        ConvolutionCase full = NestedModels.SmallConv(seed: 9);
        ConvolutionCase part = NestedModels.SmallConv(seed: 9, isPart: true);
        using InferenceSession session = Small(full).Open();
        float[] whole = Run(session, full, 8).Data;
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(whole, Run(session, full, 8).Data);
            Assert.NotEqual(whole, Run(session, part, 6).Data);
        }
    }

    /// <summary>The model over <see cref="NestedModels.SmallConv"/> with three generated maps.</summary>
    internal static NodeModel Small(ConvolutionCase? c = null) =>
        Model(c ?? NestedModels.SmallConv(), new ExpansionCase(1, 4, [6, 5], [3, 0, 1], seed: 4));

    internal static NodeModel Model(ConvolutionCase c, ExpansionCase expansion)
    {
        NodeModel model = NestedModels.RemovePrecision(NestedModels.Conv(c, OperatorNames.NestedGroupNLConv));
        return NestedModels.AddPrecision(GroupNLModels.Parameters(model, expansion), c);
    }

    private static NodeModel OneDimensional(NodeModel model) => model
        .Fed("X", TensorDataType.UInt8, -1, 11, 5)
        .With(AttributeProto.IntList(AttributeNames.Shape, 9, 5, 3))
        .With(AttributeProto.IntList(AttributeNames.Strides, 2))
        .With(AttributeProto.IntList(AttributeNames.Pads, 1, 1))
        .Without(AttributeNames.Dilations);

    private static void AssertEqualsTwoOperators(ConvolutionCase c, int[] source, int bits, bool hasAffine, string activation, int threads)
    {
        ConvolutionGeometry g = c.Geometry;
        ExpansionCase expansion = new(
            1, g.OutputChannels, [g.Height.Output, g.Width.Output], source, seed: bits, hasAffine: hasAffine, activation: activation);
        using InferenceSession fused = Model(c, expansion).Open(threads);
        using InferenceSession convolution = NestedModels.Conv(c).Open();
        using InferenceSession expand = GroupNLModels.Expand(expansion, isChannelsLast: true).Open();
        (float[] seeds, long[] seedShape) = Run(convolution, c, bits);
        (float[] expected, long[] expectedShape) = expand.Run(("X", SessionRuns.Tensor(seeds, seedShape)));
        (float[] y, long[] shape) = Run(fused, c, bits);
        Assert.Equal(expectedShape, shape);
        GroupNLExpansionTests.AssertSameBits(expected, y);
    }

    private static (float[] Data, long[] Shape) Run(InferenceSession session, ConvolutionCase c, int bits)
    {
        ConvolutionGeometry g = c.Geometry;
        OrtValue image = SessionRuns.Tensor(c.X, g.Batch, g.Height.Input, g.Width.Input, g.InputChannels);
        return session.Run(("X", image), ("bits", SessionRuns.Tensor<int>([bits])));
    }
}
