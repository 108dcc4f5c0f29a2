using CsCheck;
using NestQuant.Onnx.Text;

namespace NestQuant.Onnx.Tests.Text;

public class ChangedWordsTests
{
    [Fact]
    public void Differing_words_are_marked_in_both_lines() =>
        Assert.Equal(
            ("y = Conv <group: int = [-1-]> (x, w)", "y = Conv <group: int = {+32+}> (x, w)"),
            ChangedWords.Mark("y = Conv <group: int = 1> (x, w)", "y = Conv <group: int = 32> (x, w)"));

    [Fact]
    public void Punctuation_between_changed_words_is_marked_with_them() =>
        Assert.Equal(
            ("w = Pad (x, [-a, b-]) of y", "w = Pad (x, {+c, d+}) of y"),
            ChangedWords.Mark("w = Pad (x, a, b) of y", "w = Pad (x, c, d) of y"));

    [Fact]
    public void Lines_without_a_common_word_are_not_marked() =>
        Assert.Equal(("float[1] w", "int32[2] v"), ChangedWords.Mark("float[1] w", "int32[2] v"));

    [Fact]
    public void The_middle_of_a_long_shared_stretch_is_left_out()
    {
        string shared = string.Join(", ", Enumerable.Range(0, 100));
        (string before, string after) = ChangedWords.Mark($"y = Sum ({shared}, a, {shared})", $"y = Sum ({shared}, b, {shared})");
        Assert.StartsWith("y = Sum (0, 1, 2", before, StringComparison.Ordinal);
        Assert.Contains(" … ", before, StringComparison.Ordinal);
        Assert.Contains("99, [-a-], 0", before, StringComparison.Ordinal);
        Assert.Contains("99, {+b+}, 0", after, StringComparison.Ordinal);
        Assert.InRange(before.Length, 1, 200);
    }

    [Fact]
    public void Without_the_marks_short_lines_are_what_they_were() =>
        Gen.Select(Line, Line).Sample((before, after) =>
        {
            (string a, string b) = ChangedWords.Mark(before, after);
            Assert.Equal(before, a.Replace("[-", "", StringComparison.Ordinal).Replace("-]", "", StringComparison.Ordinal));
            Assert.Equal(after, b.Replace("{+", "", StringComparison.Ordinal).Replace("+}", "", StringComparison.Ordinal));
        });

    private static Gen<string> Line =>
        Gen.OneOf(Gen.Const("a"), Gen.Const("b"), Gen.Const(" "), Gen.Const(","), Gen.Const("conv.1"))
            .Array[0, 20].Select(words => string.Concat(words));
}
