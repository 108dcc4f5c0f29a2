using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Arm64;
using NestQuant.RuntimeOps.Kernels.Avx512Vnni;
using NestQuant.RuntimeOps.Kernels.AvxVnni;
using NestQuant.RuntimeOps.Tests.Kernels.Arm64;
using NestQuant.RuntimeOps.Tests.Kernels.AvxVnni;

namespace NestQuant.RuntimeOps.Tests.Kernels;

/// <summary>The tiers to test: those that can run here, and the tests' own.</summary>
internal static class TestTiers
{
    private const string EmulatedAvxVnni = "avxvnni, its instruction emulated";
    private const string EmulatedNeonTier = "neon, its instructions emulated";
    private const string EmulatedNeonDotTier = "neondot, its instructions emulated";

    private static readonly ByteRowsTier ByteRows = new();

    /// <summary>The tiers of arm64, on any processor.</summary>
    public static IReadOnlyList<string> Arm64 { get; } = [EmulatedNeonTier, EmulatedNeonDotTier];

    /// <summary>The tiers of the library that can run here.</summary>
    public static TheoryData<string> OfTheLibrary()
    {
        TheoryData<string> names = ["portable"];
        if (System.Runtime.Intrinsics.X86.Avx2.IsSupported)
            names.Add("avx2");
        if (VnniDot.IsSupported)
            names.Add("avxvnni");
        if (EmittedDotProduct.Instance is not null)
            names.Add("avx512vnni");
        if (Neon.IsSupported)
            names.Add("neon");
        if (NeonDot.IsSupported)
            names.Add("neondot");
        return names;
    }

    /// <summary>Those of the library, and those that multiply rows of bytes on any processor.</summary>
    public static TheoryData<string> All()
    {
        TheoryData<string> names = [.. OfTheLibrary().Select<object[], string>(static row => (string)row[0]), ByteRows.Name, .. Arm64];
        if (System.Runtime.Intrinsics.X86.Avx2.IsSupported)
            names.Add(EmulatedAvxVnni);
        return names;
    }

    public static KernelTier Get(string name) => name switch
    {
        EmulatedAvxVnni => new AvxVnniTier<EmulatedDot>(),
        EmulatedNeonTier => new NeonTier<EmulatedNeon>(),
        EmulatedNeonDotTier => new NeonDotTier<EmulatedNeon, EmulatedNeon>(),
        _ => name == ByteRows.Name ? ByteRows : KernelTier.Select(name),
    };
}
