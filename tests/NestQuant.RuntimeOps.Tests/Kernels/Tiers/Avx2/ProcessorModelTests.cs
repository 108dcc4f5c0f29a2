using System.Runtime.InteropServices;
using System.Text;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers.Avx2;

public class ProcessorModelTests
{
    // Signatures as the processors report them in CPUID leaf 1, register eax.
    [Theory]
    [InlineData("AuthenticAMD", 0x00800F82, 0x17, 0x08, true)] // Zen+
    [InlineData("AuthenticAMD", 0x00830F10, 0x17, 0x31, true)] // Zen 2
    [InlineData("AuthenticAMD", 0x00A00F11, 0x19, 0x01, false)] // Zen 3
    [InlineData("AuthenticAMD", 0x00A10F11, 0x19, 0x11, false)] // Zen 4
    [InlineData("GenuineIntel", 0x000306F2, 6, 0x3F, true)] // Haswell
    [InlineData("GenuineIntel", 0x000406F1, 6, 0x4F, true)] // Broadwell
    [InlineData("GenuineIntel", 0x00050654, 6, 0x55, false)] // Skylake
    [InlineData("GenuineIntel", 0x000806F8, 6, 0x8F, false)] // Sapphire Rapids
    [InlineData("SomebodyElse", 0x00830F10, 0x17, 0x31, false)]
    public void Designs_with_a_single_multiplier_are_known(string vendor, int signature, int family, int model, bool isSingle)
    {
        int[] leaf = MemoryMarshal.Cast<byte, int>(Encoding.ASCII.GetBytes(vendor)).ToArray();
        ProcessorModel processor = ProcessorModel.FromLeaves(leaf, signature);
        Assert.Equal(new ProcessorModel(vendor, family, model), processor);
        Assert.Equal(isSingle, processor.HasSingleMultiplier);
    }
}
