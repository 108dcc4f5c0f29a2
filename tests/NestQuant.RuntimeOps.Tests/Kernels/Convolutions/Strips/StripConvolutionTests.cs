using CsCheck;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Tests.Kernels.Execution;
using NestQuant.RuntimeOps.Tests.Kernels.Tiers;

namespace NestQuant.RuntimeOps.Tests.Kernels.Convolutions.Strips;

/// <summary>
/// Depthwise convolutions as networks have them, on every tier: those with strip kernels and those without give the same.
/// </summary>
public sealed class StripConvolutionTests
{
    private static readonly Gen<ConvolutionAxis> Axes =
        from kernel in Gen.Int[1, 9]
        from stride in Gen.Int[1, 3]
        from dilation in Gen.OneOf(Gen.Const(1), Gen.Int[1, 3])
        from pad in Gen.Int[0, 5]
        from extra in Gen.Int[0, 20]
        let span = (kernel - 1) * dilation + 1
        let input = Math.Max(1, span - 2 * pad + extra)
        select new ConvolutionAxis(input, kernel, stride, dilation, pad, (input + 2 * pad - span) / stride + 1);

    private static readonly Gen<ConvolutionCase> Cases =
        from batch in Gen.Int[1, 2]
        from height in Axes
        from width in Axes
        from channels in Gen.OneOf(Gen.Int[2, 100], Gen.Int[1, 6].Select(static n => n * 24))
        from isPart in Gen.Bool
        from seed in Gen.Int[0, int.MaxValue]
        select new ConvolutionCase(
            new ConvolutionGeometry(batch, height, width, channels, 1, channels), new NestedBits(8, 6), seed, 0, isPart);

    [Theory]
    [MemberData(nameof(TestTiers.All), MemberType = typeof(TestTiers))]
    public void Floats_equal_the_definition(string tier) =>
        Cases.Sample(c => c.Run(TestTiers.Get(tier), new BackwardLoop()).AsSpan().SequenceEqual(c.Expected()), iter: 80);

    [Theory]
    [MemberData(nameof(TestTiers.All), MemberType = typeof(TestTiers))]
    public void Bytes_equal_the_definition(string tier) =>
        Gen.Select(Cases, Gen.Float[0.01f, 8f], Gen.Int[0, 255], Gen.Int[0, 127], Gen.Int[128, 255]).Sample(
            (c, scale, zeroPoint, least, greatest) =>
            {
                Requantization requantization = new(scale, zeroPoint, least, greatest);
                return c.RunQuantized(TestTiers.Get(tier), new ThreadedLoop(2), requantization)
                    .AsSpan()
                    .SequenceEqual(c.ExpectedQuantized(requantization));
            },
            iter: 80);

    [Theory]
    [MemberData(nameof(TestTiers.All), MemberType = typeof(TestTiers))]
    public void The_largest_sums_do_not_saturate(string tier)
    {
        ConvolutionAxis axis = new(15, 11, 1, 1, 5, 15);
        ConvolutionCase c = new(
            new ConvolutionGeometry(1, axis, axis, 33, 1, 33), new NestedBits(8, 7), 5, 0, isPart: false, extreme: true);
        Assert.Equal(c.Expected(), c.Run(TestTiers.Get(tier), new BackwardLoop()));
    }

    /// <summary>Results on both sides of 32 bits: those that do not fit are left to the other kernel, or to the clamp.</summary>
    [Theory]
    [MemberData(nameof(TestTiers.All), MemberType = typeof(TestTiers))]
    public void Results_of_any_size_equal_the_definition(string tier) =>
        Gen.Select(Cases, Gen.Int[-40, 0], Gen.Int[0, 255]).Sample(
            (c, exponent, zeroPoint) =>
            {
                Requantization requantization = new(MathF.Pow(2, exponent), zeroPoint, 3, 250);
                return c.RunQuantized(TestTiers.Get(tier), new BackwardLoop(), requantization)
                    .AsSpan()
                    .SequenceEqual(c.ExpectedQuantized(requantization));
            },
            iter: 80);
}
