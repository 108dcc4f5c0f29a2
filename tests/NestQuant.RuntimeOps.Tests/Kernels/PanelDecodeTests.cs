using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Avx512Vnni;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Tests.Kernels.Avx512Vnni;
using NestQuant.RuntimeOps.Tests.Packing;

namespace NestQuant.RuntimeOps.Tests.Kernels;

public unsafe class PanelDecodeTests
{
    [Theory]
    [MemberData(nameof(NestedPackerTests.EveryPair), MemberType = typeof(NestedPackerTests))]
    public void Every_tier_equals_portable_for_any_bytes(int full, int high)
    {
        NestedLayout layout = new(new NestedBits(full, high), new ChannelView(40, 43, 1, 1));
        byte[] highBytes = new byte[layout.HighByteLength];
        byte[] lowBytes = new byte[layout.LowByteLength];
        Random random = new(full * 10 + high);
        random.NextBytes(highBytes);
        random.NextBytes(lowBytes);
        string[] tiers = [.. TestTiers.All().Select<object[], string>(static row => (string)row[0])];
        foreach (bool isPart in new[] { false, true })
        {
            for (int panel = 0; panel < layout.Panels; panel++)
            {
                sbyte[] expected = Decode("portable", layout, highBytes, lowBytes, isPart, panel);
                Assert.All(tiers, tier => Assert.Equal(expected, Decode(tier, layout, highBytes, lowBytes, isPart, panel)));
            }
        }
    }

    [Theory]
    [MemberData(nameof(NestedPackerTests.EveryPair), MemberType = typeof(NestedPackerTests))]
    public void Emitted_code_equals_portable_for_any_bytes_and_stays_within_its_memory(int full, int high)
    {
        const int blocks = 3;
        NestedBits bits = new(full, high);
        byte[] highBytes = new byte[blocks * 32 * bits.High];
        byte[] lowBytes = new byte[blocks * 32 * bits.LowWidth];
        Random random = new(full * 10 + high);
        random.NextBytes(highBytes);
        random.NextBytes(lowBytes);
        foreach (bool isPart in new[] { false, true })
        {
            sbyte[] expected = new sbyte[blocks * NestedLayout.BlockValues];
            sbyte[] actual = new sbyte[expected.Length];
            EmittedCodeInterpreter code = new(DecoderEmitter.Emit(bits, isPart));
            fixed (byte* highPlanes = highBytes, lowPlanes = lowBytes)
            fixed (sbyte* reference = expected, values = actual)
            {
                KernelTier.Portable.DecodeBlocks(highPlanes, isPart ? null : lowPlanes, blocks, bits, reference);
                code.Allow(highPlanes, highBytes.Length);
                if (!isPart)
                    code.Allow(lowPlanes, lowBytes.Length);
                code.Allow(values, actual.Length, isWritable: true);
                code.Call((ulong)highPlanes, isPart ? 0 : (ulong)lowPlanes, blocks, (ulong)values);
            }

            Assert.Equal(expected, actual);
        }
    }

    [Theory]
    [MemberData(nameof(NestedPackerTests.EveryPair), MemberType = typeof(NestedPackerTests))]
    public void Emitted_products_equal_those_of_decoded_weights(int full, int high)
    {
        const int blocks = 3;
        NestedBits bits = new(full, high);
        byte[] highBytes = new byte[blocks * 32 * bits.High];
        byte[] lowBytes = new byte[blocks * 32 * bits.LowWidth];
        byte[] row = new byte[blocks * 8];
        Random random = new(full * 10 + high);
        random.NextBytes(highBytes);
        random.NextBytes(lowBytes);
        random.NextBytes(row);
        foreach (bool isPart in new[] { false, true })
        {
            sbyte[] weights = new sbyte[blocks * NestedLayout.BlockValues];
            int[] actual = new int[2 * KernelTier.TileChannels];
            EmittedCodeInterpreter code = new(DecoderEmitter.EmitProduct(bits, isPart));
            fixed (byte* highPlanes = highBytes, lowPlanes = lowBytes, x = row)
            fixed (sbyte* values = weights)
            fixed (int* sums = actual)
            {
                KernelTier.Portable.DecodeBlocks(highPlanes, isPart ? null : lowPlanes, blocks, bits, values);
                code.Allow(highPlanes, highBytes.Length);
                if (!isPart)
                    code.Allow(lowPlanes, lowBytes.Length);
                code.Allow(x, row.Length);
                code.Allow(sums, actual.Length * sizeof(int), isWritable: true);
                code.Call(
                    (ulong)highPlanes,
                    isPart ? 0 : (ulong)lowPlanes,
                    blocks,
                    (ulong)x,
                    (ulong)sums,
                    (ulong)(sums + KernelTier.TileChannels));
            }

            for (int channel = 0; channel < KernelTier.TileChannels; channel++)
            {
                IEnumerable<(int X, int W)> products = Enumerable.Range(0, row.Length)
                    .Select(k => ((int)row[k], (int)weights[(k / 4 * 32 + channel) * 4 + k % 4]));
                Assert.Equal(products.Sum(static p => p.X * p.W), actual[channel]);
                Assert.Equal(products.Sum(static p => p.W), actual[KernelTier.TileChannels + channel]);
            }
        }
    }

    private static sbyte[] Decode(string tier, NestedLayout layout, byte[] highBytes, byte[] lowBytes, bool isPart, int panel)
    {
        fixed (byte* high = highBytes, low = lowBytes)
        {
            PanelSource source = new(layout, high, isPart ? null : low);
            sbyte[] values = new sbyte[source.DecodedLength];
            fixed (sbyte* target = values)
                source.Decode(TestTiers.Get(tier), panel, target);
            return values;
        }
    }
}
