using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Kernels.Tiers.AvxVnni;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers.AvxVnni;

public class ByteDotProductTests
{
    [SkippableFact]
    public void The_instruction_adds_four_products_without_saturation()
    {
        Skip.IfNot(VnniDot.IsSupported, "the processor has no AVX-VNNI");
        Random random = new(1);
        byte[] bytes = new byte[96];
        for (int repeat = 0; repeat < 1000; repeat++)
        {
            random.NextBytes(bytes);
            Vector256<int> sums = Vector256.Create(bytes).AsInt32();
            Vector256<byte> unsigned = Vector256.Create(bytes, 32);
            Vector256<sbyte> signed = Vector256.Create(bytes, 64).AsSByte();
            Assert.Equal(EmulatedDot.Add(sums, unsigned, signed), VnniDot.Add(sums, unsigned, signed));
        }

        Vector256<int> largest = VnniDot.Add(Vector256<int>.Zero, Vector256.Create(byte.MaxValue), Vector256.Create(sbyte.MinValue));
        Assert.Equal(Vector256.Create(4 * byte.MaxValue * sbyte.MinValue), largest);
    }
}
