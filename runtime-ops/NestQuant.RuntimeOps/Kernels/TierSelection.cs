using NestQuant.RuntimeOps.Kernels.Emission;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Kernels.Tiers.Amx;
using NestQuant.RuntimeOps.Kernels.Tiers.Arm64;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx2;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;
using NestQuant.RuntimeOps.Kernels.Tiers.AvxVnni;
using NestQuant.RuntimeOps.Kernels.Tiers.Portable;

namespace NestQuant.RuntimeOps.Kernels;

/// <summary>Chooses the tier of this process: the best that the processor has, or the one that an environment variable names.</summary>
internal static class TierSelection
{
    /// <summary>Environment variable that forces a tier by name.</summary>
    public const string EnvironmentVariable = "NESTQUANT_KERNEL_TIER";

    private const string NoAvx2 = "this processor does not have AVX2 and FMA";

    private static readonly Lazy<KernelTier> Selected = new(() => Select(Forced));

    /// <summary>The reference tier, available everywhere.</summary>
    public static KernelTier Portable => PortableTier.Instance;

    /// <summary>The tier for this process: the forced one, or the best that the processor has.</summary>
    /// <exception cref="PlatformNotSupportedException">The forced tier is unknown or not supported here.</exception>
    public static KernelTier Current => Selected.Value;

    /// <summary>
    /// Why this process does not use the best tier of its processor; null when it does, or when a tier is forced.
    /// </summary>
    public static string? Remark
    {
        get
        {
            ProcessorFeatures features = ProcessorFeatures.Read();
            if (!string.IsNullOrEmpty(Forced) || !features.HasAvx512Vnni)
                return null;
            if (EmittedKernels.Refusal is { } refusal)
                return RemarkOn("AVX512-VNNI", refusal, TierNames.Avx512Vnni);
            return features.HasAmxInt8 && EmittedTileProduct.Refusal is { } tileRefusal
                ? RemarkOn("AMX", tileRefusal, TierNames.Amx)
                : null;
        }
    }

    /// <summary>Chooses a tier.</summary>
    /// <param name="forced">A tier's name, or null or empty for the best that can run here.</param>
    /// <exception cref="PlatformNotSupportedException">The forced tier is unknown or cannot run here.</exception>
    public static KernelTier Select(string? forced) => forced switch
    {
        null or "" => TryAmx() ?? TryAvx512Vnni() ?? TryAvxVnni() ?? TryAvx2(ProcessorModel.Read().HasSingleMultiplier)
            ?? TryNeonDot() ?? TryNeon() ?? Portable,
        TierNames.Portable => Portable,
        TierNames.Avx2 => TryAvx2(hasSingleMultiplier: false) ?? throw Unsupported(forced, NoAvx2),
        TierNames.Avx2SingleMultiplier => TryAvx2(hasSingleMultiplier: true) ?? throw Unsupported(forced, NoAvx2),
        TierNames.AvxVnni => TryAvxVnni() ?? throw Unsupported(forced, "this processor does not have AVX-VNNI"),
        TierNames.Avx512Vnni => TryAvx512Vnni() ?? throw Unsupported(forced, EmittedKernels.Refusal),
        TierNames.Amx => TryAmx() ?? throw Unsupported(forced, EmittedKernels.Refusal ?? EmittedTileProduct.Refusal),
        TierNames.Neon => TryNeon() ?? throw Unsupported(forced, "this is not an arm64 processor"),
        TierNames.NeonDot => TryNeonDot() ?? throw Unsupported(forced, "this processor is not an arm64 one with the dot product extension"),
        _ => throw new PlatformNotSupportedException(
            $"{EnvironmentVariable} is '{forced}': known tiers are {TierNames.Portable}, {TierNames.Avx2}, "
                + $"{TierNames.Avx2SingleMultiplier}, {TierNames.AvxVnni}, {TierNames.Avx512Vnni}, {TierNames.Amx}, {TierNames.Neon} and "
                + TierNames.NeonDot),
    };

    private static string? Forced => Environment.GetEnvironmentVariable(EnvironmentVariable);

    private static string RemarkOn(string feature, string refusal, string tier) =>
        $"the processor has {feature}, but {refusal}: the '{Current.Name}' kernels run instead of '{tier}'";

    private static KernelTier? TryAvx2(bool hasSingleMultiplier) => X64Tier.IsSupported ? new Avx2Tier(hasSingleMultiplier) : null;

    private static KernelTier? TryAvxVnni() => VnniDot.IsSupported && X64Tier.IsSupported ? new AvxVnniTier<VnniDot>() : null;

    private static KernelTier? TryAvx512Vnni() =>
        X64Tier.IsSupported && EmittedKernels.Instance is { } kernels ? new Avx512VnniTier(kernels) : null;

    private static KernelTier? TryAmx() =>
        X64Tier.IsSupported && EmittedKernels.Instance is { } vectors && EmittedTileProduct.Instance is { } tiles
            ? new AmxTier(vectors, tiles)
            : null;

    private static KernelTier? TryNeonDot() => NeonDot.IsSupported ? new NeonDotTier<Neon, NeonDot>() : null;

    private static KernelTier? TryNeon() => Neon.IsSupported ? new NeonTier<Neon>() : null;

    private static PlatformNotSupportedException Unsupported(string tier, string? reason) =>
        new($"{EnvironmentVariable} asks for '{tier}', but {reason}");
}
