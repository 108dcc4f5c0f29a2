using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Emission;
using NestQuant.RuntimeOps.Kernels.Tiers.Amx;
using NestQuant.RuntimeOps.Kernels.Tiers.Arm64;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx2;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;
using NestQuant.RuntimeOps.Kernels.Tiers.AvxVnni;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers;

public class KernelTierTests
{
    [Fact]
    public void A_tier_is_forced_by_name() => Assert.Equal("portable", TierSelection.Select("portable").Name);

    [Theory]
    [InlineData("avx2")]
    [InlineData("avx2mul1")]
    [InlineData("avxvnni")]
    [InlineData("avx512vnni")]
    [InlineData("amx")]
    [InlineData("neon")]
    [InlineData("neondot")]
    public void A_forced_tier_is_that_one_or_an_error_that_says_why_not(string name)
    {
        if (IsSupported(name))
        {
            Assert.Equal(name, TierSelection.Select(name).Name);
            return;
        }

        string message = Assert.Throws<PlatformNotSupportedException>(() => TierSelection.Select(name)).Message;
        Assert.StartsWith($"NESTQUANT_KERNEL_TIER asks for '{name}', but ", message, StringComparison.Ordinal);
        Assert.True(message.Length > $"NESTQUANT_KERNEL_TIER asks for '{name}', but ".Length);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void Without_a_name_the_best_tier_is_chosen(string? forced)
    {
        string avx2 = ProcessorModel.Read().HasSingleMultiplier ? "avx2mul1" : "avx2";
        string best = new[] { "amx", "avx512vnni", "avxvnni", avx2, "neondot", "neon", "portable" }.First(IsSupported);
        Assert.Equal(best, TierSelection.Select(forced).Name);
    }

    [Fact]
    public void There_is_nothing_to_tell_unless_the_processors_best_tier_cannot_run()
    {
        ProcessorFeatures features = ProcessorFeatures.Read();
        bool isVectorTierRefused = features.HasAvx512Vnni && EmittedKernels.Instance is null;
        bool isTileTierRefused = features.HasAvx512Vnni && features.HasAmxInt8 && EmittedTileProduct.Instance is null;
        Assert.Equal(isVectorTierRefused || isTileTierRefused, TierSelection.Remark is not null);
    }

    [Fact]
    public void An_unknown_tier_is_refused_with_those_that_are_known()
    {
        string message = Assert.Throws<PlatformNotSupportedException>(() => TierSelection.Select("sse9")).Message;
        Assert.Contains(
            "NESTQUANT_KERNEL_TIER is 'sse9': known tiers are portable, avx2, avx2mul1, avxvnni, avx512vnni, amx, neon and neondot",
            message,
            StringComparison.Ordinal);
    }

    private static bool IsSupported(string name) => name switch
    {
        "amx" => EmittedKernels.Instance is not null && EmittedTileProduct.Instance is not null,
        "avx512vnni" => EmittedKernels.Instance is not null,
        "avxvnni" => VnniDot.IsSupported,
        "avx2" or "avx2mul1" => X86Avx2.IsSupported,
        "neon" => Neon.IsSupported,
        "neondot" => NeonDot.IsSupported,
        _ => true,
    };
}
