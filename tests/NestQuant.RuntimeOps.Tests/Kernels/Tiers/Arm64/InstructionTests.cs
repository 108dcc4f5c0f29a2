using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Kernels.Tiers.Arm64;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers.Arm64;

/// <summary>The instructions that the tiers of arm64 are written over, emulated and, where there are any, real.</summary>
public class InstructionTests
{
    [Fact]
    public void The_emulated_instructions_are_those_of_the_definition()
    {
        AreThoseOfTheDefinition<EmulatedNeon>();
        AddsFourProducts<EmulatedNeon>();
    }

    [SkippableFact]
    public void The_instructions_of_every_arm64_processor_are_those_of_the_definition()
    {
        Skip.IfNot(Neon.IsSupported, "the processor is not an arm64 one");
        AreThoseOfTheDefinition<Neon>();
    }

    [SkippableFact]
    public void The_dot_product_adds_four_products()
    {
        Skip.IfNot(NeonDot.IsSupported, "the processor is not an arm64 one with the dot product extension");
        AddsFourProducts<NeonDot>();
    }

    private static void AreThoseOfTheDefinition<TNeon>()
        where TNeon : struct, INeon
    {
        foreach ((Vector128<int> sums, Vector128<sbyte> a, Vector128<sbyte> b) in Operands())
        {
            Assert.Equal(Expected(sums, i => a[4 * i] + a[4 * i + 1] + a[4 * i + 2] + a[4 * i + 3]), TNeon.AddFours(sums, a));
            Assert.Equal(Expected(sums, i => a[2 * i] * b[2 * i] + a[2 * i + 1] * b[2 * i + 1]), TNeon.AddPairsLower(sums, a, b));
            Assert.Equal(Expected(sums, i => a[2 * i + 8] * b[2 * i + 8] + a[2 * i + 9] * b[2 * i + 9]), TNeon.AddPairsUpper(sums, a, b));
            Assert.Equal(Expected(sums, i => a.AsInt16()[i] * b.AsInt16()[i]), TNeon.AddProductsLower(sums, a.AsInt16(), b.AsInt16()));
            Assert.Equal(
                Expected(sums, i => a.AsInt16()[i + 4] * b.AsInt16()[i + 4]), TNeon.AddProductsUpper(sums, a.AsInt16(), b.AsInt16()));
        }
    }

    private static void AddsFourProducts<TDot>()
        where TDot : struct, ISignedDot
    {
        foreach ((Vector128<int> sums, Vector128<sbyte> weights, Vector128<sbyte> x) in Operands())
        {
            Assert.Equal(Expected(sums, i => Dot(weights, i, x, 0)), TDot.Add(sums, weights, x, 0));
            Assert.Equal(Expected(sums, i => Dot(weights, i, x, 1)), TDot.Add(sums, weights, x, 1));
            Assert.Equal(Expected(sums, i => Dot(weights, i, x, 2)), TDot.Add(sums, weights, x, 2));
            Assert.Equal(Expected(sums, i => Dot(weights, i, x, 3)), TDot.Add(sums, weights, x, 3));
        }
    }

    /// <summary>The bytes of the largest products first, then random ones.</summary>
    private static IEnumerable<(Vector128<int> Sums, Vector128<sbyte> A, Vector128<sbyte> B)> Operands()
    {
        yield return (Vector128<int>.Zero, Vector128.Create(sbyte.MinValue), Vector128.Create(sbyte.MinValue));
        Random random = new(1);
        byte[] bytes = new byte[48];
        for (int repeat = 0; repeat < 1000; repeat++)
        {
            random.NextBytes(bytes);
            yield return (Vector128.Create(bytes).AsInt32(), Vector128.Create(bytes, 16).AsSByte(), Vector128.Create(bytes, 32).AsSByte());
        }
    }

    private static Vector128<int> Expected(Vector128<int> sums, Func<int, int> added) =>
        sums + Vector128.Create(added(0), added(1), added(2), added(3));

    private static int Dot(Vector128<sbyte> weights, int sum, Vector128<sbyte> x, int four) =>
        Enumerable.Range(0, 4).Sum(i => weights[4 * sum + i] * x[4 * four + i]);
}
