using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Tests.Kernels.Tiers;
using NestQuant.RuntimeOps.Tests.Kernels.Tiers.Avx512Vnni;
using NestQuant.RuntimeOps.Tests.Packing;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Kernels.Convolutions;

public unsafe class PanelDecodeTests
{
    /// <summary>All levels that there are.</summary>
    public static TheoryData<string> Levels() =>
    [
        .. from chosen in Enumerable.Range(0, 128)
           where int.PopCount(chosen) >= 2
           select NestedPackerTests.Of(chosen).ToString(),
    ];

    [Theory]
    [MemberData(nameof(Levels))]
    public void Every_tier_equals_portable_for_any_bytes(string text)
    {
        NestedBits bits = NestedBits.Parse(text);
        NestedLayout layout = new(bits, new ChannelView(40, 139, 1, 1));
        byte[][] operands = RandomOperands(layout);
        string[] tiers = [.. TestTiers.All().Select<object[], string>(static row => (string)row[0])];
        foreach (int level in bits.Levels)
        {
            for (int panel = 0; panel < layout.Panels; panel++)
            {
                sbyte[] expected = Decode("portable", layout, operands, level, panel);
                Assert.All(tiers, tier => Assert.Equal(expected, Decode(tier, layout, operands, level, panel)));
            }
        }
    }

    /// <summary>The sum of all codes in their places, modulo 256.</summary>
    [Theory]
    [MemberData(nameof(Levels))]
    public void Portable_adds_the_values_of_all_steps(string text)
    {
        NestedBits bits = NestedBits.Parse(text);
        NestedLayout layout = new(bits, new ChannelView(32, 43, 1, 1));
        byte[][] operands = RandomOperands(layout);
        sbyte[][] values = NestedPacker.Unpack(layout, [.. operands]);
        foreach (int level in bits.Levels)
        {
            sbyte[] expected = RandomWeights.Level(bits, values, level);
            sbyte[] actual = Decode("portable", layout, operands, level, 0);
            for (int m = 0; m < 32; m++)
                for (int k = 0; k < 43; k++)
                    Assert.Equal(expected[m * 43 + k], actual[(k / 4 * 32 + m) * 4 + k % 4]);
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
                TierSelection.Portable.DecodeBlocks(new(bits, isPart ? high : full, (nint)highPlanes, (nint)lowPlanes), blocks, reference);
                code.Allow(highPlanes, highBytes.Length);
                if (!isPart)
                    code.Allow(lowPlanes, lowBytes.Length);
                code.Allow(values, actual.Length, isWritable: true);
                code.Call((ulong)highPlanes, isPart ? 0 : (ulong)lowPlanes, blocks, (ulong)values);
            }

            Assert.Equal(expected, actual);
        }
    }

    private static byte[][] RandomOperands(NestedLayout layout)
    {
        Random random = new(layout.Bits.GetHashCode());
        byte[][] operands = [.. Enumerable.Range(0, layout.Bits.Count).Select(step => new byte[layout.ByteLength(step)])];
        Array.ForEach(operands, random.NextBytes);
        return operands;
    }

    private static sbyte[] Decode(string tier, NestedLayout layout, byte[][] operands, int level, int panel)
    {
        using GuardedOperands pinned = new(operands);
        PanelSource source = new(layout, pinned.At(layout.Bits, level));
        sbyte[] values = new sbyte[source.DecodedLength];
        fixed (sbyte* target = values)
            source.Decode(TestTiers.Get(tier), panel, target);
        return values;
    }
}
