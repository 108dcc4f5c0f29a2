using NestQuant.RuntimeOps.Kernels;

namespace NestQuant.RuntimeOps.Tests.Kernels;

public class KernelTierTests
{
    [Fact]
    public void A_tier_is_forced_by_name() => Assert.Equal("portable", KernelTier.Select("portable").Name);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void Without_a_name_the_best_tier_is_chosen(string? forced) =>
        Assert.Equal(System.Runtime.Intrinsics.X86.Avx2.IsSupported ? "avx2" : "portable", KernelTier.Select(forced).Name);

    [Fact]
    public void An_unknown_tier_is_refused_with_those_that_are_known()
    {
        string message = Assert.Throws<PlatformNotSupportedException>(() => KernelTier.Select("sse9")).Message;
        Assert.Contains("NESTQUANT_KERNEL_TIER is 'sse9': known tiers are portable and avx2", message, StringComparison.Ordinal);
    }
}
