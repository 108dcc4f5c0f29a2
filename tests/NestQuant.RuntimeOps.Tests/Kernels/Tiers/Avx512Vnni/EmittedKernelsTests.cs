using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Emission;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers.Avx512Vnni;

public unsafe class EmittedKernelsTests
{
    private static readonly ProcessorFeatures Capable = new(Leaf1Ecx: 1 << 27, Leaf7Ebx: 1 << 16 | 1 << 30 | 1 << 31, Leaf7Ecx: 1 << 11);

    [SkippableFact]
    public void The_processor_gives_the_exact_sums()
    {
        Skip.If(EmittedKernels.Instance is null, $"emitted kernels cannot run here: {EmittedKernels.Refusal}");
        KernelTier tier = TierSelection.Select("avx512vnni");
        for (int rows = 1; rows <= DotProductEmitter.MaxRows; rows++)
        {
            foreach (int groups in new[] { 1, 2, 3, 4, 5, 8, 31, 1000 })
            {
                DotCase c = new(rows, groups, gap: rows % 4, seed: rows + groups);
                int[] expected = c.Expected();
                foreach ((int first, int end) in new[] { (0, 32), (0, 7), (5, 16), (16, 32), (20, 21), (15, 17) })
                {
                    int[] tile = new int[DotProductEmitter.MaxRows * KernelTier.TileChannels];
                    fixed (byte* x = c.Rows)
                    fixed (sbyte* panel = c.Panel)
                    fixed (int* sums = tile)
                        tier.Dot(x, c.RowStride, rows, panel, groups, first, end, sums);
                    for (int row = 0; row < rows; row++)
                        Assert.Equal(expected[(row * 32 + first)..(row * 32 + end)], tile[(row * 32 + first)..(row * 32 + end)]);
                }
            }
        }
    }

    [Fact]
    public void Without_the_instructions_no_code_is_mapped()
    {
        foreach (ProcessorFeatures features in new[]
        {
            default,
            Capable with { Leaf7Ecx = 0 },
            Capable with { Leaf7Ebx = 1 << 16 | 1 << 30 },
            Capable with { Leaf7Ebx = 1 << 30 | 1 << 31 },
            Capable with { Leaf7Ebx = 1 << 16 | 1 << 31 },
        })
        {
            (EmittedKernels? kernels, string? refusal) = EmittedKernels.Load(features, NoMapping);
            Assert.Null(kernels);
            Assert.Equal("this processor does not have AVX512-VNNI", refusal);
        }
    }

    [Fact]
    public void Where_executable_memory_is_forbidden_there_are_no_kernels_but_a_reason()
    {
        (EmittedKernels? kernels, string? refusal) = EmittedKernels.Load(Capable, Forbidden);
        Assert.Null(kernels);
        Assert.Equal("the system forbids executable memory: Permission denied", refusal);
    }

    [SkippableFact]
    public void Where_the_operating_system_does_not_save_the_registers_there_are_no_kernels_but_a_reason()
    {
        const string reason = "the operating system does not save the registers of AVX-512";
        Assert.Equal((null, reason), EmittedKernels.Load(Capable with { Leaf1Ecx = 0 }, NoMapping));
        Skip.IfNot(OperatingSystem.IsLinux() && System.Runtime.Intrinsics.X86.Avx.IsSupported, "needs XGETBV, on Linux on x64");
        Skip.If(ProcessorFeatures.Read().HasAvx512Vnni, "the operating system does save them");
        Assert.Equal((null, reason), EmittedKernels.Load(Capable, ExecutableMemory.TryMap));
    }

    [Theory]
    [InlineData(0b1110_0111, true)]
    [InlineData(0b1110_0110, true)]
    [InlineData(0b0000_0111, false)]
    [InlineData(0b1100_0111, false)]
    [InlineData(0b1010_0111, false)]
    [InlineData(0b0110_0111, false)]
    [InlineData(0b1110_0011, false)]
    public void All_parts_of_the_registers_must_be_saved(ulong extendedControl, bool areSaved) =>
        Assert.Equal(areSaved, ProcessorFeatures.SavesAvx512(extendedControl));

    private static byte* NoMapping(ReadOnlySpan<byte> code, out string? refusal) => throw new InvalidOperationException("mapped");

    private static byte* Forbidden(ReadOnlySpan<byte> code, out string? refusal)
    {
        refusal = "the system forbids executable memory: Permission denied";
        return null;
    }
}
