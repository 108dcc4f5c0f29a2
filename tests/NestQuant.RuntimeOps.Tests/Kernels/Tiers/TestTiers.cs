using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Kernels.Tiers.Amx;
using NestQuant.RuntimeOps.Kernels.Tiers.Arm64;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;
using NestQuant.RuntimeOps.Kernels.Tiers.AvxVnni;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions.ImplicitGemm;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions.Winograd;
using NestQuant.RuntimeOps.Tests.Kernels.Tiers.Arm64;
using NestQuant.RuntimeOps.Tests.Kernels.Tiers.AvxVnni;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers;

/// <summary>The tiers to test: those that can run here, and the tests' own.</summary>
internal static class TestTiers
{
    private const string EmulatedAvxVnni = "avxvnni, its instruction emulated";
    private const string EmulatedNeonTier = "neon, its instructions emulated";
    private const string EmulatedNeonDotTier = "neondot, its instructions emulated";

    private const int UnlimitedBytes = int.MaxValue / 4 * 4;

    /// <summary>As AVX-512, with plain products in place of emitted code.</summary>
    public const string PlainAvx512 = "in place, by lines, or by Winograd";

    // As emitted code has it: tiles within lines and unlimited chunks (AVX-512), tiles across lines and short chunks (AMX).
    private static readonly ByteRowsTier[] OfTheTests =
    [
        new(),
        new ImplicitTier("in place, by lines", 3, UnlimitedBytes, crossesLines: false),
        new ImplicitTier("in place, across lines", 7, 16, crossesLines: true),
    ];

    private static readonly ImplicitTier PlainAvx512Tier =
        new(PlainAvx512, 12, UnlimitedBytes, crossesLines: false, new PlainWordProduct());

    /// <summary>The tiers of arm64, on any processor.</summary>
    public static IReadOnlyList<string> Arm64 { get; } = [EmulatedNeonTier, EmulatedNeonDotTier];

    /// <summary>The tiers of the library that can run here.</summary>
    public static TheoryData<string> OfTheLibrary()
    {
        TheoryData<string> names = ["portable"];
        if (System.Runtime.Intrinsics.X86.Avx2.IsSupported)
        {
            names.Add("avx2");
            names.Add("avx2mul1");
        }

        if (VnniDot.IsSupported)
            names.Add("avxvnni");
        if (EmittedKernels.Instance is not null)
            names.Add("avx512vnni");
        if (EmittedKernels.Instance is not null && EmittedTileProduct.Instance is not null)
            names.Add("amx");
        if (Neon.IsSupported)
            names.Add("neon");
        if (NeonDot.IsSupported)
            names.Add("neondot");
        return names;
    }

    /// <summary>Those of the library, and those that multiply rows of bytes on any processor.</summary>
    public static TheoryData<string> All()
    {
        TheoryData<string> names =
        [
            .. OfTheLibrary().Select<object[], string>(static row => (string)row[0]), .. OfTheTests.Select(static tier => tier.Name),
            .. Arm64
        ];
        if (System.Runtime.Intrinsics.X86.Avx2.IsSupported)
            names.AddRange(EmulatedAvxVnni, PlainAvx512);
        return names;
    }

    public static KernelTier Get(string name) => name switch
    {
        EmulatedAvxVnni => new AvxVnniTier<EmulatedDot>(),
        PlainAvx512 => PlainAvx512Tier,
        EmulatedNeonTier => new NeonTier<EmulatedNeon>(),
        EmulatedNeonDotTier => new NeonDotTier<EmulatedNeon, EmulatedNeon>(),
        _ => OfTheTests.FirstOrDefault(tier => tier.Name == name) ?? TierSelection.Select(name),
    };
}
