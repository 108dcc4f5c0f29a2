using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Kernels.Tiers.AvxVnni;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions.Strips;
using NestQuant.RuntimeOps.Tests.Kernels.Tiers.Avx512Vnni;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers.AvxVnni;

public unsafe class ByteStripsTests
{
    public static TheoryData<int, bool, int> Kernels() => Avx512Vnni.StripEmitterTests.Kernels();

    [SkippableTheory]
    [MemberData(nameof(Kernels))]
    public void With_the_instruction_emulated_they_give_the_definition(int linesPerStep, bool isQuantized, int channels)
    {
        Skip.IfNot(System.Runtime.Intrinsics.X86.Avx2.IsSupported, "the processor has no AVX2");
        Check(new ByteStrips<EmulatedDot>(), linesPerStep, isQuantized, channels);
    }

    [SkippableTheory]
    [MemberData(nameof(Kernels))]
    public void The_processor_gives_the_definition(int linesPerStep, bool isQuantized, int channels)
    {
        Skip.IfNot(VnniDot.IsSupported, "the processor has no AVX-VNNI");
        Check(new ByteStrips<VnniDot>(), linesPerStep, isQuantized, channels);
    }

    private static void Check(StripKernel kernel, int linesPerStep, bool isQuantized, int channels)
    {
        for (int seed = 0; seed < 100; seed++)
            new StripCase(linesPerStep, isQuantized, channels, seed)
                .Check(kernel, (arguments, _) => kernel.Run(arguments, linesPerStep));
    }
}
