using CsCheck;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Packing;

public class WeightTagTests
{
    private static readonly Gen<NestedLayout> Layouts =
        from full in Gen.Int[3, 8]
        from high in Gen.Int[2, full - 1]
        from groups in Gen.Int[1, 40]
        from inner in Gen.Int[1, 5]
        from channels in Gen.Int[1, 3]
        from taps in Gen.Int[1, 4]
        select new NestedLayout(new NestedBits(full, high), new ChannelView(groups, inner, channels, taps));

    [Fact]
    public void Both_operands_carry_the_tag_of_what_they_hold() =>
        Gen.Select(Layouts, Gen.Int[0, int.MaxValue]).Sample((layout, seed) =>
        {
            (byte[] high, byte[] low) = Pack(layout, seed);
            WeightTag tag = WeightTag.Of(layout, high, low);
            Assert.Equal(tag, WeightTag.Of(layout, Pack(layout, seed).High, Pack(layout, seed).Low));
            Assert.Null(Problem(layout, high, 0, tag));
            Assert.Null(Problem(layout, low, 1, tag));
            Assert.True(WeightTag.TryParse(tag.ToString(), out WeightTag parsed) && parsed == tag);
        });

    [Fact]
    public void Any_changed_bit_of_the_panels_changes_the_tag() =>
        Gen.Select(Layouts, Gen.Int[0, int.MaxValue], Gen.Bool).Sample((layout, seed, ofHigh) =>
        {
            (byte[] high, byte[] low) = Pack(layout, seed);
            WeightTag tag = WeightTag.Of(layout, high, low);
            Random random = new(seed);
            long length = layout.PanelsLength(ofHigh ? 0 : 1);
            (ofHigh ? high : low)[random.NextInt64(length)] ^= (byte)(1 << random.Next(8));
            Assert.NotEqual(tag, WeightTag.Of(layout, high, low));
        });

    [Fact]
    public void Any_changed_bit_of_a_trailer_is_a_problem() =>
        Gen.Select(Layouts, Gen.Int[0, OperandTrailer.Length * 8 - 1], Gen.Int[0, 1]).Sample((layout, bit, step) =>
        {
            (byte[] high, byte[] low) = Pack(layout, bit);
            WeightTag tag = WeightTag.Of(layout, high, low);
            byte[] operand = step == 0 ? high : low;
            operand[operand.Length - OperandTrailer.Length + bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.NotNull(Problem(layout, operand, step, tag));
        });

    /// <summary>The same bytes that mean another weight have another tag.</summary>
    [Fact]
    public void The_tag_depends_on_what_the_bytes_mean()
    {
        ChannelView[] views = [new(1, 8, 32, 1), new(32, 8, 1, 1), new(1, 1, 32, 8), new(1, 8, 31, 1)];
        NestedLayout[] layouts = [.. views.Select(view => new NestedLayout(new NestedBits(3, 2), view))];
        byte[] zeros = new byte[layouts[0].HighByteLength];
        Assert.Equal(layouts.Length, layouts.Select(layout => WeightTag.Of(layout, zeros, zeros)).Distinct().Count());
    }

    [Fact]
    public void The_operands_of_a_weight_are_told_apart()
    {
        // At 3:2 both have the same length.
        NestedLayout layout = new(new NestedBits(3, 2), new ChannelView(1, 4, 4, 1));
        (byte[] high, byte[] low) = Pack(layout, 1);
        WeightTag tag = WeightTag.Of(layout, high, low);
        Assert.Equal("is the low operand of a weight", Problem(layout, low, 0, tag));
        Assert.Equal("is the high operand of a weight", Problem(layout, high, 1, tag));
    }

    [Theory]
    [InlineData("")]
    [InlineData("123456789abcdef")]
    [InlineData("0123456789ABCDEF")]
    [InlineData("0x23456789abcdef")]
    [InlineData("00123456789abcdef")]
    [InlineData(" 123456789abcdef")]
    public void Other_texts_are_no_tags(string text) => Assert.False(WeightTag.TryParse(text, out _));

    [Fact]
    public void Layout_version_1_has_no_tags()
    {
        NestedLayout layout = new(new NestedBits(3, 2), new ChannelView(1, 1, 1, 1), version: 1);
        Assert.Throws<ArgumentException>(() => WeightTag.Of(layout, new byte[8], new byte[8]));
        Assert.Throws<ArgumentException>(() => NestedPacker.Seal(layout, new byte[8], new byte[8]));
    }

    private static string? Problem(NestedLayout layout, byte[] operand, int step, WeightTag tag) =>
        OperandTrailer.Problem(operand.AsSpan(operand.Length - OperandTrailer.Length), layout, step, tag);

    private static (byte[] High, byte[] Low) Pack(NestedLayout layout, int seed)
    {
        (sbyte[] highValues, sbyte[] lowValues) = RandomWeights.Create(layout, seed);
        byte[] high = new byte[layout.HighByteLength], low = new byte[layout.LowByteLength];
        NestedPacker.Pack(layout, [highValues, lowValues], [high, low]);
        return (high, low);
    }
}
