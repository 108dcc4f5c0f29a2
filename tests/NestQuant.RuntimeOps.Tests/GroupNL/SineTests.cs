using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Kernels.GroupNL.Functions;

namespace NestQuant.RuntimeOps.Tests.GroupNL;

public unsafe class SineTests
{
    [Theory]
    [InlineData(100, 4_000_000)]
    [InlineData(Sine.MaxArgument, 4_000_000)]
    public void Stays_within_its_error_bound(float largest, int steps)
    {
        double worst = 0;
        for (int i = -steps; i <= steps; i += 4)
        {
            Vector128<float> x = Vector128.Create((float)i, i + 1, i + 2, i + 3) * (largest / (steps + 4));
            Vector128<float> y = Sine.Lanes<Lanes128, Vector128<float>>(x);
            for (int lane = 0; lane < 4; lane++)
                worst = Math.Max(worst, Math.Abs(Math.Sin(x[lane]) - y[lane]));
        }

        Assert.InRange(worst, 1e-8, Sine.MaxError);
    }

    [Fact]
    public void Every_float_near_a_multiple_of_pi_is_within_the_bound()
    {
        for (int k = -1303; k <= 1303; k++)
        {
            float x = (float)(k * Math.PI);
            for (int ulp = 0; ulp < 40; ulp++, x = MathF.BitIncrement(x))
                Assert.InRange(Of(x) - Math.Sin(x), -Sine.MaxError, Sine.MaxError);
        }
    }

    [Fact]
    public void Small_arguments_keep_their_relative_precision()
    {
        for (float x = 1e-38f; x < 0.5f; x *= 1.37f)
        {
            Assert.InRange(Of(x) / Math.Sin(x), 1 - 2.5e-7, 1 + 2.5e-7);
            Assert.Equal(-Of(x), Of(-x));
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void What_is_not_finite_has_no_sine(float x) => Assert.True(float.IsNaN(Of(x)));

    [SkippableFact]
    public void Both_widths_give_the_same_bits()
    {
        Skip.IfNot(System.Runtime.Intrinsics.X86.Avx2.IsSupported, "the processor has no AVX2");
        Random random = new(1);
        for (int i = 0; i < 200_000; i++)
        {
            Vector128<float> low = Vector128.Create((float)(random.NextDouble() * 2 - 1) * MathF.Pow(2, random.Next(-30, 12)));
            Vector128<float> high = low * 1.0001f;
            Vector256<float> wide = Sine.Lanes<Lanes256, Vector256<float>>(Vector256.Create(low, high));
            Assert.Equal(Sine.Lanes<Lanes128, Vector128<float>>(low).AsInt32(), wide.GetLower().AsInt32());
            Assert.Equal(Sine.Lanes<Lanes128, Vector128<float>>(high).AsInt32(), wide.GetUpper().AsInt32());
        }
    }

    private static float Of(float x) => Sine.Lanes<Lanes128, Vector128<float>>(Vector128.Create(x)).ToScalar();
}
