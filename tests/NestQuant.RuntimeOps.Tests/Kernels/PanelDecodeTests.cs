using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Tests.Packing;

namespace NestQuant.RuntimeOps.Tests.Kernels;

public unsafe class PanelDecodeTests
{
    [SkippableTheory]
    [MemberData(nameof(NestedPackerTests.EveryPair), MemberType = typeof(NestedPackerTests))]
    public void Avx2_equals_portable_for_any_bytes(int full, int high)
    {
        Skip.IfNot(System.Runtime.Intrinsics.X86.Avx2.IsSupported, "the processor has no AVX2");
        NestedLayout layout = new(new NestedBits(full, high), new ChannelView(40, 43, 1, 1));
        byte[] highBytes = new byte[layout.HighByteLength];
        byte[] lowBytes = new byte[layout.LowByteLength];
        Random random = new(full * 10 + high);
        random.NextBytes(highBytes);
        random.NextBytes(lowBytes);
        foreach (bool isPart in new[] { false, true })
        {
            for (int panel = 0; panel < layout.Panels; panel++)
                Assert.Equal(Decode("portable", layout, highBytes, lowBytes, isPart, panel), Decode("avx2", layout, highBytes, lowBytes, isPart, panel));
        }
    }

    private static sbyte[] Decode(string tier, NestedLayout layout, byte[] highBytes, byte[] lowBytes, bool isPart, int panel)
    {
        fixed (byte* high = highBytes, low = lowBytes)
        {
            PanelSource source = new(layout, high, isPart ? null : low);
            sbyte[] values = new sbyte[source.DecodedLength];
            fixed (sbyte* target = values)
                source.Decode(KernelTier.Select(tier), panel, target);
            return values;
        }
    }
}
