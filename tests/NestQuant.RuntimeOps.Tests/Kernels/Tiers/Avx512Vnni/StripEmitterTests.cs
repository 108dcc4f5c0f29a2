using Iced.Intel;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions.Strips;
using NestQuant.RuntimeOps.Tests.Kernels.Emission;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers.Avx512Vnni;

public unsafe class StripEmitterTests
{
    private const int TableBytes = 256;

    public static TheoryData<int, bool, int> Kernels()
    {
        TheoryData<int, bool, int> kernels = [];
        foreach (int linesPerStep in new[] { 1, 2 })
        {
            foreach (bool isQuantized in new[] { false, true })
            {
                foreach (int channels in new[] { 32, 31, 17, 16, 8, 1 })
                    kernels.Add(linesPerStep, isQuantized, channels);
            }
        }

        return kernels;
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void A_kernel_gives_the_definition_within_its_memory(int linesPerStep, bool isQuantized, int channels)
    {
        for (int seed = 0; seed < 15; seed++)
        {
            new StripCase(linesPerStep, isQuantized, channels, seed).Check((arguments, memory) =>
            {
                byte* tables = stackalloc byte[TableBytes];
                EmittedStrips.WriteTables(tables);
                EmittedStrips.Complete(arguments, tables);
                EmittedCodeInterpreter code = new(new StripEmitter(linesPerStep, isQuantized, isMasked: channels < 32).Emit());
                code.Allow(tables, TableBytes);
                foreach ((nint address, int length, bool isWritable) in memory)
                    code.Allow((void*)address, length, isWritable);
                code.Call((ulong)arguments);
            });
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Kernels))]
    public void The_processor_gives_the_definition(int linesPerStep, bool isQuantized, int channels)
    {
        EmittedStrips? kernels = EmittedStrips.Instance;
        Skip.If(kernels is null, $"emitted kernels cannot run here: {EmittedKernels.Refusal}");
        for (int seed = 0; seed < 300; seed++)
            new StripCase(linesPerStep, isQuantized, channels, seed).Check((arguments, _) => kernels.Run(arguments, linesPerStep));
    }

    [Fact]
    public void Kernels_need_only_what_the_processor_is_asked_for()
    {
        CpuidFeature[] allowed =
        [
            CpuidFeature.INTEL8086, CpuidFeature.INTEL386, CpuidFeature.X64, CpuidFeature.AVX,
            CpuidFeature.AVX512F, CpuidFeature.AVX512BW, CpuidFeature.AVX512VL, CpuidFeature.AVX512_VNNI,
        ];
        for (int index = 0; index < 8; index++)
        {
            byte[] code = new StripEmitter(index / 4 + 1, (index & 2) != 0, (index & 1) != 0).Emit();
            Assert.Subset(allowed.ToHashSet(), Disassembly.Decode(code).SelectMany(instruction => instruction.CpuidFeatures).ToHashSet());
        }
    }
}
