using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>The processor's maker and design, from CPUID leaves 0 and 1.</summary>
/// <param name="Vendor">The maker's 12 characters.</param>
/// <param name="Family">The family, the extended one included.</param>
/// <param name="Model">The model, the extended one included.</param>
internal readonly record struct ProcessorModel(string Vendor, int Family, int Model)
{
    private const int Zen = 0x17;
    private const int HygonZen = 0x18;

    /// <summary>
    /// Whether its 256-bit integer multiplications all start in one unit, one per cycle: AMD's Zen, Zen+ and Zen 2 and Hygon's, Intel's
    /// Haswell and Broadwell. All later processors with AVX2 start two.
    /// </summary>
    public bool HasSingleMultiplier => (Vendor, Family) switch
    {
        ("AuthenticAMD", Zen) or ("HygonGenuine", HygonZen) => true,
        ("GenuineIntel", 6) => Model is 0x3C or 0x3F or 0x45 or 0x46 or 0x3D or 0x47 or 0x4F or 0x56,
        _ => false,
    };

    /// <summary>Reads this processor's; an empty vendor on other architectures.</summary>
    public static ProcessorModel Read()
    {
        if (!X86Base.IsSupported)
            return new ProcessorModel("", 0, 0);
        (_, int ebx, int ecx, int edx) = X86Base.CpuId(0, 0);
        (int signature, _, _, _) = X86Base.CpuId(1, 0);
        return FromLeaves([ebx, edx, ecx], signature);
    }

    /// <summary>Interprets the registers of CPUID.</summary>
    /// <param name="vendor">Leaf 0: registers ebx, edx and ecx.</param>
    /// <param name="signature">Leaf 1: register eax.</param>
    public static ProcessorModel FromLeaves(ReadOnlySpan<int> vendor, int signature)
    {
        // The extended fields count where the family is 15, that of the model also where it is 6.
        int family = (signature >> 8) & 0xF, model = (signature >> 4) & 0xF;
        if (family is 6 or 15)
            model |= (signature >> 12) & 0xF0;
        if (family == 15)
            family += (signature >> 20) & 0xFF;
        return new ProcessorModel(Encoding.ASCII.GetString(MemoryMarshal.AsBytes(vendor)), family, model);
    }
}
