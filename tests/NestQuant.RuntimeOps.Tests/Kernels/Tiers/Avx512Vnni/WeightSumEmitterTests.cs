using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers.Avx512Vnni;

public unsafe class WeightSumEmitterTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(37)]
    public void Sums_are_those_of_the_reference(int groups)
    {
        sbyte[] weights = new sbyte[groups * 4 * KernelTier.TileChannels];
        new Random(groups).NextBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes(weights.AsSpan()));
        int[] expected = new int[KernelTier.TileChannels];
        int[] actual = new int[KernelTier.TileChannels];
        int ones = 0x01010101;
        EmittedCodeInterpreter code = new(WeightSumEmitter.Emit());
        fixed (sbyte* panel = weights)
        fixed (int* reference = expected, sums = actual)
        {
            TierSelection.Portable.SumWeights(panel, groups, reference);
            code.Allow(panel, weights.Length);
            code.Allow(&ones, sizeof(int));
            code.Allow(sums, actual.Length * sizeof(int), isWritable: true);
            code.Call((ulong)panel, (ulong)groups, (ulong)sums, (ulong)&ones);
        }

        Assert.Equal(expected, actual);
    }
}
