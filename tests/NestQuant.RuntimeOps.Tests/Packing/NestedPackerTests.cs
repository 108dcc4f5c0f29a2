using CsCheck;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Packing;

public class NestedPackerTests
{
    private static readonly Gen<ChannelView> Views =
        from groups in Gen.Int[1, 70]
        from inner in Gen.Int[1, 13]
        from channels in Gen.Int[1, 5]
        from taps in Gen.Int[1, 10]
        select new ChannelView(groups, inner, channels, taps);

    /// <summary>Any levels.</summary>
    internal static Gen<NestedBits> Levels { get; } =
        Gen.Int[0, 127].Where(static chosen => int.PopCount(chosen) >= 2).Select(static chosen => Of(chosen));

    /// <summary>The levels that the bits of a number choose: 8 for the lowest to 2 for the seventh.</summary>
    internal static NestedBits Of(int chosen) =>
        new([.. Enumerable.Range(0, 7).Where(i => (chosen >> i & 1) != 0).Select(static i => 8 - i)]);

    public static TheoryData<int, int> EveryPair()
    {
        TheoryData<int, int> pairs = [];
        for (int full = 3; full <= 8; full++)
        {
            for (int high = 2; high < full; high++)
                pairs.Add(full, high);
        }

        return pairs;
    }

    [Theory]
    [MemberData(nameof(EveryPair))]
    public void Every_pair_survives_a_round_trip(int full, int high) =>
        Gen.Select(Views, Gen.Int[0, int.MaxValue]).Sample(
            (view, seed) =>
            {
                NestedLayout layout = new(new NestedBits(full, high), view);
                (sbyte[] highValues, sbyte[] lowValues) = RandomWeights.Create(layout, seed);
                (byte[] highBytes, byte[] lowBytes) = Pack(layout, highValues, lowValues);
                sbyte[][] back = NestedPacker.Unpack(layout, highBytes, lowBytes);
                return back[0].AsSpan().SequenceEqual(highValues) && back[1].AsSpan().SequenceEqual(lowValues);
            },
            iter: 30);

    [Fact]
    public void Any_levels_survive_a_round_trip_and_have_the_bytes_of_the_documented_format() =>
        Gen.Select(Views, Levels, Gen.Int[0, int.MaxValue]).Sample(
            (view, bits, seed) =>
            {
                NestedLayout layout = new(bits, view);
                sbyte[][] values = RandomWeights.CreateSteps(layout, seed);
                byte[][] operands = Pack(layout, values);
                Assert.Equal(DocumentedFormat.Pack(bits, view, values), operands);
                Assert.Equal(values, NestedPacker.Unpack(layout, [.. operands]));
            },
            iter: 200);

    [Fact]
    public void Operands_of_layout_version_1_are_the_panels_alone()
    {
        NestedLayout layout = new(new NestedBits(8, 6), new ChannelView(40, 3, 1, 9), version: 1);
        (sbyte[] highValues, sbyte[] lowValues) = RandomWeights.Create(layout, 1);
        (byte[] highBytes, byte[] lowBytes) = Pack(layout, highValues, lowValues);
        Assert.Equal(DocumentedFormat.Panels(layout.View, highValues, 6), highBytes);
        Assert.Equal(DocumentedFormat.Panels(layout.View, lowValues, 3), lowBytes);
    }

    [Fact]
    public void The_worked_example_of_two_levels_holds()
    {
        NestedLayout layout = new(new NestedBits(3, 2), new ChannelView(1, 1, 1, 1), version: 2);
        (byte[] high, byte[] low) = Pack(layout, [1], [1]);
        byte[] panel = [0xAB, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA], zeros = new byte[8];
        byte[] tag = Convert.FromHexString("3f31721c270003e0");
        Assert.Equal([.. panel, .. zeros, .. "NQOP"u8, 2, (byte)'H', 0, 0, .. tag], high);
        Assert.Equal([.. panel, .. zeros, .. "NQOP"u8, 2, (byte)'L', 0, 0, .. tag], low);
    }

    [Fact]
    public void The_worked_example_of_three_levels_holds()
    {
        NestedLayout layout = new(new NestedBits(4, 3, 2), new ChannelView(1, 1, 1, 1), version: 3);
        byte[][] operands = Pack(layout, [[1], [1], [-1]]);
        byte[] panel = [0xAB, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA], last = [0xA9, .. panel[1..]], zeros = new byte[8];
        byte[] tag = Convert.FromHexString("67b5d92a1fd06533");
        Assert.Equal([.. panel, .. zeros, .. "NQOP"u8, 3, (byte)'H', 0, 0, .. tag], operands[0]);
        Assert.Equal([.. panel, .. zeros, .. "NQOP"u8, 3, (byte)'L', 3, 0, .. tag], operands[1]);
        Assert.Equal([.. last, .. zeros, .. "NQOP"u8, 3, (byte)'L', 4, 0, .. tag], operands[2]);
    }

    [Fact]
    public void The_worked_example_of_a_narrow_panel_holds()
    {
        NestedLayout layout = new(new NestedBits(3, 2), new ChannelView(1, 1, 1, 1));
        (byte[] high, byte[] low) = Pack(layout, [1], [1]);
        byte[] panel = [0xAB, 0xAA], zeros = new byte[14], tag = Convert.FromHexString("ac2140a60041681e");
        Assert.Equal([.. panel, .. zeros, .. "NQOP"u8, 4, (byte)'H', 0, 0, .. tag], high);
        Assert.Equal([.. panel, .. zeros, .. "NQOP"u8, 4, (byte)'L', 3, 0, .. tag], low);
    }

    /// <summary>A wide last panel costs older readers nothing, so they can go on reading what they know.</summary>
    [Theory]
    [InlineData("8:6", 32, 2)]
    [InlineData("8:6", 57, 2)]
    [InlineData("8:6:4", 64, 3)]
    [InlineData("8:6", 56, 4)]
    [InlineData("8:6:4", 33, 4)]
    public void The_version_that_is_written_is_the_oldest_that_costs_no_bytes(string bits, int channels, int version) =>
        Assert.Equal(version, new NestedLayout(NestedBits.Parse(bits), new ChannelView(channels, 2, 1, 1)).Version);

    [Theory]
    [InlineData("8:6", 3)]
    [InlineData("8:6:4", 2)]
    [InlineData("8:6:4", 1)]
    [InlineData("8:6", 5)]
    public void A_layout_version_of_another_number_of_levels_is_refused(string bits, int version) =>
        Assert.Throws<ArgumentException>(() => new NestedLayout(NestedBits.Parse(bits), new ChannelView(3, 2, 1, 1), version));

    [Fact]
    public void A_seven_bit_operand_is_split_in_planes_of_four_two_and_one()
    {
        // 8:7, one channel of one weight: code 1 + 64 = 65 = 0b100_0001: nibble 1, pair 0, top bit 1. Padding is 64 = 0b100_0000.
        NestedLayout layout = new(new NestedBits(8, 7), new ChannelView(1, 1, 1, 1), version: 2);
        (byte[] high, _) = Pack(layout, [1], [0]);
        byte[] expected = new byte[28];
        expected[0] = 0x01;
        expected.AsSpan(24).Fill(0xFF);
        Assert.Equal(expected, high[..28]);
    }

    [Fact]
    public void Operands_cost_exactly_their_bits_and_their_trailers()
    {
        NestedLayout layout = new(new NestedBits(8, 6), new ChannelView(64, 3, 1, 49));
        Assert.Equal(64L * 147 * 6 / 8 + 16, layout.HighByteLength);
        Assert.Equal(64L * 147 * 3 / 8 + 8 + 16, layout.LowByteLength);
        Assert.Equal(2, layout.Panels);
    }

    [Theory]
    [InlineData(1, 32, 0)]
    [InlineData(5, -33, 0)]
    [InlineData(5, -128, 0)]
    [InlineData(0, 0, 4)]
    [InlineData(0, 0, -5)]
    public void A_value_outside_its_width_is_refused(int index, sbyte high, sbyte low)
    {
        NestedLayout layout = new(new NestedBits(8, 6), new ChannelView(3, 2, 1, 1));
        sbyte[] highValues = new sbyte[6];
        sbyte[] lowValues = new sbyte[6];
        highValues[index] = high;
        lowValues[index] = low;
        ArgumentException error = Assert.Throws<ArgumentException>(() => Pack(layout, highValues, lowValues));
        Assert.Contains("outside", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Lengths_that_do_not_match_the_layout_are_refused()
    {
        NestedLayout layout = new(new NestedBits(8, 6), new ChannelView(3, 2, 1, 1));
        Assert.Throws<ArgumentException>(
            () => NestedPacker.Pack(
                layout, [new sbyte[5], new sbyte[6]], [new byte[layout.HighByteLength], new byte[layout.LowByteLength]]));
        Assert.Throws<ArgumentException>(
            () =>
                NestedPacker.Pack(
                    layout, [new sbyte[6], new sbyte[6]], [new byte[layout.HighByteLength - 1], new byte[layout.LowByteLength]]));
        Assert.Throws<ArgumentException>(() => NestedPacker.Pack(layout, [new sbyte[6]], [new byte[layout.HighByteLength]]));
        Assert.Throws<ArgumentException>(
            () => NestedPacker.Unpack(layout, new byte[layout.HighByteLength], new byte[layout.LowByteLength + 1]));
    }

    [Theory]
    [InlineData(0, 1, 1, 1)]
    [InlineData(1, -1, 1, 1)]
    [InlineData(65536, 1, 65536, 1)]
    [InlineData(1, 65536, 1, 65536)]
    public void Impossible_dimensions_are_refused(int groups, int inner, int channels, int taps) =>
        Assert.Throws<ArgumentException>(() => new NestedLayout(new NestedBits(8, 6), new ChannelView(groups, inner, channels, taps)));

    [Fact]
    public void Panels_packed_apart_equal_panels_packed_together()
    {
        NestedLayout layout = new(new NestedBits(8, 5), new ChannelView(100, 7, 1, 3));
        (sbyte[] high, sbyte[] low) = RandomWeights.Create(layout, 1);
        (byte[] highBytes, byte[] lowBytes) = Pack(layout, high, low);
        byte[] highApart = new byte[highBytes.Length];
        byte[] lowApart = new byte[lowBytes.Length];
        Parallel.For(0, layout.Panels, panel =>
        {
            NestedPacker.PackPanels(layout, 0, panel, 1, high, highApart);
            NestedPacker.PackPanels(layout, 1, panel, 1, low, lowApart);
        });
        NestedPacker.Seal(layout, highApart, lowApart);
        Assert.Equal(highBytes, highApart);
        Assert.Equal(lowBytes, lowApart);
    }

    private static (byte[] High, byte[] Low) Pack(NestedLayout layout, sbyte[] high, sbyte[] low)
    {
        byte[][] operands = Pack(layout, [high, low]);
        return (operands[0], operands[1]);
    }

    private static byte[][] Pack(NestedLayout layout, sbyte[][] values)
    {
        // Dirty buffers: every byte must be written.
        byte[][] operands = [.. values.Select((_, step) => new byte[layout.ByteLength(step)])];
        Array.ForEach(operands, static operand => operand.AsSpan().Fill(0x5A));
        NestedPacker.Pack(layout, values, operands);
        return operands;
    }
}
