using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Kernels.GroupNL.Functions;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.RuntimeOps.Tests.GroupNL;

/// <summary>
/// The functions beside the sine against their definition in float64, at floats of every size and densely where they bend.
/// </summary>
public class MapFunctionTests
{
    private const double Ulp = 1.0 / (1 << 23);

    [Fact]
    public void The_gaussian_stays_within_its_error_bound()
    {
        double worst = 0;
        foreach (float u in Arguments())
            worst = Math.Max(worst, Math.Abs(Of(default(Gaussian), u) - Math.Exp(-(double)u * u)));
        Assert.InRange(worst, 1e-8, Gaussian.MaxError);
    }

    /// <summary>Far out, the relative error is that of the rounded square: half a unit in the last place of the exponent.</summary>
    [Fact]
    public void The_gaussian_keeps_relative_precision_down_to_the_smallest_normal_float()
    {
        for (float u = 0; u < 9.3f; u += 1e-3f)
        {
            float square = u * u;
            Assert.InRange(Of(default(Gaussian), u) / Math.Exp(-square), 1 - 2 * Ulp, 1 + 2 * Ulp);
        }

        Assert.Equal(0, Of(default(Gaussian), 9.5f));
        Assert.Equal(0, Of(default(Gaussian), float.MaxValue));
    }

    [Fact]
    public void The_radial_functions_stay_within_their_error_bounds()
    {
        foreach (float u in Arguments())
        {
            double sum = 1 + (double)u * u;
            Assert.InRange(Of(default(InverseQuadratic), u) - 1 / sum, -Ulp, Ulp);
            Assert.InRange(Of(default(InverseMultiquadric), u) - 1 / Math.Sqrt(sum), -1.5 * Ulp, 1.5 * Ulp);
            if (sum < float.MaxValue)
                Assert.InRange(Of(default(Multiquadric), u) / Math.Sqrt(sum), 1 - Ulp, 1 + Ulp);
            else
                Assert.Equal(float.PositiveInfinity, Of(default(Multiquadric), u));
        }
    }

    [Fact]
    public void Monomials_stay_within_their_error_bounds()
    {
        for (int power = GroupNLFunctions.LeastPower; power <= GroupNLFunctions.GreatestPower; power++)
        {
            foreach (float u in Arguments())
            {
                double exact = Math.CopySign(Math.Pow(Math.Abs(u), power), u);
                float y = Of(new Monomial(power), u);
                Assert.Equal(float.IsNegative(u), float.IsNegative(y));
                if (Math.Abs(exact) is > 1e-36 and < 3e38)
                    Assert.InRange(y / exact, 1 - (power - 1) * Ulp, 1 + (power - 1) * Ulp);
            }

            Assert.Equal(float.NegativeInfinity, Of(new Monomial(power), -1e30f));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void What_is_no_number_stays_none(string function) => Assert.True(float.IsNaN(ByName(function, float.NaN)));

    [Theory]
    [InlineData(GroupNLFunctions.Gaussian, 0)]
    [InlineData(GroupNLFunctions.Multiquadric, float.PositiveInfinity)]
    [InlineData(GroupNLFunctions.InverseQuadratic, 0)]
    [InlineData(GroupNLFunctions.InverseMultiquadric, 0)]
    [InlineData(GroupNLFunctions.Monomial, float.NegativeInfinity)]
    public void Infinity_has_the_limit(string function, float limit) => Assert.Equal(limit, ByName(function, float.NegativeInfinity));

    [SkippableTheory]
    [MemberData(nameof(Kinds))]
    public void Both_widths_give_the_same_bits(string function)
    {
        Skip.IfNot(System.Runtime.Intrinsics.X86.Avx2.IsSupported, "the processor has no AVX2");
        Named(function).Run(new SameBits());
    }

    public static TheoryData<string> Kinds() => [.. GroupNLFunctions.All];

    private static IEnumerable<float> Arguments()
    {
        for (int i = -400_000; i <= 400_000; i++)
            yield return i * 2.5e-5f;
        for (float u = 1e-38f; u < 1e38f; u *= 1.01f)
        {
            yield return u;
            yield return -u;
        }
    }

    private static float Of<TFunction>(TFunction function, float u)
        where TFunction : struct, IMapFunction =>
        function.Apply<Lanes128, Vector128<float>>(Vector128.Create(u)).ToScalar();

    private static MapFunction Named(string function) =>
        ExpansionCase.Of((MapFunctionKind)GroupNLFunctions.All.ToList().IndexOf(function), 5);

    private static float ByName(string function, float u)
    {
        Value value = new(u);
        Named(function).Run(value);
        return value.Result[0];
    }

    private readonly struct Value(float u) : IMapFunctionLoop
    {
        public float[] Result { get; } = new float[1];

        public void Run<TFunction>(TFunction function)
            where TFunction : struct, IMapFunction => Result[0] = Of(function, u);
    }

    private readonly struct SameBits : IMapFunctionLoop
    {
        public void Run<TFunction>(TFunction function)
            where TFunction : struct, IMapFunction
        {
            Random random = new(1);
            for (int i = 0; i < 100_000; i++)
            {
                Vector128<float> low = Vector128.Create((float)(random.NextDouble() * 2 - 1) * MathF.Pow(2, random.Next(-30, 12)));
                Vector128<float> high = low * 1.0001f;
                Vector256<float> wide = function.Apply<Lanes256, Vector256<float>>(Vector256.Create(low, high));
                Assert.Equal(function.Apply<Lanes128, Vector128<float>>(low).AsInt32(), wide.GetLower().AsInt32());
                Assert.Equal(function.Apply<Lanes128, Vector128<float>>(high).AsInt32(), wide.GetUpper().AsInt32());
            }
        }
    }
}
