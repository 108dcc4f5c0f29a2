using CsCheck;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Kernels.Tiers.Portable;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions;

namespace NestQuant.RuntimeOps.Tests.Kernels;

public class RowDecoderTests
{
    /// <summary>Any bytes, so that also damaged operands, whose values add up to more than fits, are decoded alike.</summary>
    [Fact]
    public unsafe void A_row_is_the_channel_of_the_decoded_panel() =>
        (from length in Gen.Int[1, 100]
         from bits in Gen.OneOf("8:6", "8:4", "3:2", "7:2", "8:6:4:3:2", "8:7:6:5:4:3:2", "6:5:3")
         from seed in Gen.Int[0, int.MaxValue]
         select (length, bits, seed)).Sample(
            t =>
            {
                NestedLayout layout = new(NestedBits.Parse(t.bits), new ChannelView(NestedLayout.PanelChannels, t.length, 1, 1));
                Random random = new(t.seed);
                byte[][] operands = [.. Enumerable.Range(0, layout.Bits.Count).Select(step => new byte[layout.PanelsLength(step)])];
                foreach (byte[] operand in operands)
                    random.NextBytes(operand);
                using GuardedOperands pinned = new(operands);
                foreach (int level in layout.Bits.Levels)
                {
                    PanelSource source = new(layout, pinned.At(layout.Bits, level));
                    sbyte[] panel = new sbyte[source.DecodedLength], row = new sbyte[t.length];
                    fixed (sbyte* values = panel)
                        source.Decode(PortableTier.Instance, 0, values);
                    for (int channel = 0; channel < NestedLayout.PanelChannels; channel++)
                    {
                        fixed (sbyte* values = row)
                            RowDecoder.Decode(source.OperandsOf(0), channel, t.length, values);
                        for (int k = 0; k < t.length; k++)
                            Assert.Equal(panel[(k / 4 * KernelTier.TileChannels + channel) * 4 + k % 4], row[k]);
                    }
                }
            },
            iter: 100,
            threads: 1);
}
