using System.Runtime.Intrinsics.X86;

namespace NestQuant.RuntimeOps.Kernels.Emission;

/// <summary>
/// The features that the processor has and the operating system supports, from CPUID and XGETBV. The runtime's own answer for AVX-512
/// depends on the target of an ahead-of-time build, and it has none for 512-bit VNNI.
/// </summary>
/// <param name="Leaf1Ecx">CPUID leaf 1, register ecx.</param>
/// <param name="Leaf7Ebx">CPUID leaf 7, sub-leaf 0, register ebx; 0 where there is no leaf 7.</param>
/// <param name="Leaf7Ecx">CPUID leaf 7, sub-leaf 0, register ecx; 0 where there is no leaf 7.</param>
/// <param name="Leaf7Edx">CPUID leaf 7, sub-leaf 0, register edx; 0 where there is no leaf 7.</param>
internal readonly record struct ProcessorFeatures(int Leaf1Ecx, int Leaf7Ebx, int Leaf7Ecx, int Leaf7Edx = 0)
{
    private const int OsUsesXsave = 1 << 27;
    private const int Avx512F = 1 << 16;
    private const int Avx512BW = 1 << 30;
    private const int Avx512VL = 1 << 31;
    private const int Avx512Vnni = 1 << 11;
    private const int AmxTile = 1 << 24;
    private const int AmxInt8 = 1 << 25;

    // XMM, YMM, mask registers, upper halves of zmm0 to 15, zmm16 to 31.
    private const ulong Avx512State = 0b1110_0110;

    /// <summary>Whether XGETBV may be executed.</summary>
    public bool HasExtendedControl => (Leaf1Ecx & OsUsesXsave) != 0;

    /// <summary>Whether the processor has the 512-bit instructions F, BW, VL and VNNI.</summary>
    public bool HasAvx512Vnni =>
        (Leaf7Ebx & (Avx512F | Avx512BW | Avx512VL)) == (Avx512F | Avx512BW | Avx512VL) && (Leaf7Ecx & Avx512Vnni) != 0;

    /// <summary>Whether the processor has tile registers and multiplies bytes in them.</summary>
    public bool HasAmxInt8 => (Leaf7Edx & (AmxTile | AmxInt8)) == (AmxTile | AmxInt8);

    /// <summary>Reads this processor's features; none on other architectures.</summary>
    public static ProcessorFeatures Read()
    {
        if (!X86Base.IsSupported)
            return default;
        (int lastLeaf, _, _, _) = X86Base.CpuId(0, 0);
        (_, _, int leaf1Ecx, _) = X86Base.CpuId(1, 0);
        (_, int leaf7Ebx, int leaf7Ecx, int leaf7Edx) = lastLeaf >= 7 ? X86Base.CpuId(7, 0) : default;
        return new ProcessorFeatures(leaf1Ecx, leaf7Ebx, leaf7Ecx, leaf7Edx);
    }

    /// <summary>Whether the operating system saves all registers of AVX-512.</summary>
    /// <param name="extendedControl">The extended control register 0.</param>
    public static bool SavesAvx512(ulong extendedControl) => (extendedControl & Avx512State) == Avx512State;

    /// <summary>A function without arguments that returns the extended control register 0; the runtime offers no XGETBV.</summary>
    public static byte[] EmitReadExtendedControl()
    {
        Assembler code = new();
        code.Clear(Register.Rcx);
        code.GetExtendedControlRegister();
        code.ShiftLeft(Register.Rdx, 32);
        code.Or(Register.Rax, Register.Rdx);
        code.Return();
        return code.ToCode();
    }
}
