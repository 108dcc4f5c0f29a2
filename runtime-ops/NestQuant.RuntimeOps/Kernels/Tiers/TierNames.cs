using NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers;

/// <summary>The names by which <see cref="TierSelection.EnvironmentVariable"/> forces a tier.</summary>
internal static class TierNames
{
    /// <summary>Plain loops, everywhere.</summary>
    public const string Portable = "portable";

    /// <summary>x64 with AVX2 and FMA.</summary>
    public const string Avx2 = "avx2";

    /// <summary>x64 with AVX2 and FMA that starts one vector multiplication per cycle (<see cref="ProcessorModel"/>).</summary>
    public const string Avx2SingleMultiplier = "avx2mul1";

    /// <summary>x64 with AVX-VNNI.</summary>
    public const string AvxVnni = "avxvnni";

    /// <summary>x64 with AVX512-VNNI, on Linux.</summary>
    public const string Avx512Vnni = "avx512vnni";

    /// <summary>x64 with AMX-INT8 and AVX512-VNNI, on Linux.</summary>
    public const string Amx = "amx";

    /// <summary>Any arm64.</summary>
    public const string Neon = "neon";

    /// <summary>arm64 with the dot product extension.</summary>
    public const string NeonDot = "neondot";
}
