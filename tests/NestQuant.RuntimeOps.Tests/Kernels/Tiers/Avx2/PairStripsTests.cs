using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx2;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions.Strips;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers.Avx2;

public unsafe class PairStripsTests
{
    public static TheoryData<int, bool, int> Kernels() => Avx512Vnni.StripEmitterTests.Kernels();

    [SkippableTheory]
    [MemberData(nameof(Kernels))]
    public void The_processor_gives_the_definition(int linesPerStep, bool isQuantized, int channels)
    {
        Skip.IfNot(X64Tier.IsSupported, "the processor has no AVX2");
        PairStrips kernel = new();
        for (int seed = 0; seed < 100; seed++)
            new StripCase(linesPerStep, isQuantized, channels, seed)
                .Check(kernel, (arguments, _) => kernel.Run(arguments, linesPerStep));
    }

    [SkippableFact]
    public void The_tier_has_them()
    {
        Skip.IfNot(X64Tier.IsSupported, "the processor has no AVX2");
        Assert.IsType<PairStrips>(TierSelection.Select("avx2").Strips);
    }
}
