using NestQuant.Onnx.Text;

namespace NestQuant.Onnx.Tests;

public sealed class DisplayTextTests
{
    [Theory]
    [InlineData("plain /conv1/Conv", "plain /conv1/Conv")]
    [InlineData("größer 卷积 \U0001f469\u200d\U0001f4bb", "größer 卷积 \U0001f469\u200d\U0001f4bb")]
    [InlineData("\u001b[2Jx\u0007", "\\u001b[2Jx\\u0007")]
    [InlineData("a\nb\rc\td", "a\\u000ab\\u000dc\\u0009d")]
    [InlineData("\u007f\u009b31m\u0085", "\\u007f\\u009b31m\\u0085")]
    [InlineData("\u202egnp.x\u2066\u200f\u061c\u2028", "\\u202egnp.x\\u2066\\u200f\\u061c\\u2028")]
    public void WhatSteersATerminalIsEscaped(string text, string expected)
    {
        Assert.Equal(expected, DisplayText.Of(text));
        Assert.Equal(expected, DisplayText.OfMessage(text));
    }

    [Fact]
    public void LoneSurrogatesAreEscaped() => Assert.Equal("a\\ud800b\\udc00", DisplayText.Of("a\ud800b\udc00"));

    [Fact]
    public void LineFeedsStayWhereTextHasLines() => Assert.Equal("a\nb\\u000d", DisplayText.Escape("a\nb\r", keepLines: true));

    [Fact]
    public void AnErrorIsOneLineWhateverItQuotes()
    {
        string expected = "node 'a b\\u001b' is damaged";
        Assert.Equal(expected, new ModelException("node 'a\nb\u001b' is damaged").Message);
        Assert.Equal(expected, new ModelException("node 'a\r\nb\u001b' is damaged", new IOException()).Message);
    }

    [Fact]
    public void LongTextLosesItsMiddle()
    {
        string name = string.Concat("begin", new string('x', 5_000_000), "end");
        string shown = DisplayText.Of(name);
        string message = DisplayText.OfMessage($"node '{name}' reads '{name}', which nothing defines");

        Assert.InRange(shown.Length, 300, 400);
        Assert.StartsWith("begin", shown, StringComparison.Ordinal);
        Assert.EndsWith("end", shown, StringComparison.Ordinal);
        Assert.Equal($"node '{shown}' reads '{shown}', which nothing defines", message);
        Assert.InRange(DisplayText.OfMessage(string.Join('\'', Enumerable.Repeat("text", 100_000))).Length, 1000, 5000);
    }

    [Fact]
    public void ANameInPrintedTextCannotAddLinesOrSteerATerminal()
    {
        ModelProto model = Sample.Linear();
        model.Graph!.Node[0].Name = "\u001b]0;x\u0007\nnode";
        model.Graph.Node[1].OpType = "Add\u001b[2J\n";
        model.Graph.Node[1].Domain = "d\u009b\n";
        model.DocString = "a\nb\u202e";
        string text = ModelText.Print(model);

        Assert.DoesNotContain(text, static c => char.IsControl(c) && c != '\n');
        Assert.DoesNotContain('\u202e', text);
        Assert.Equal(ModelText.Print(Sample.Linear()).Split('\n').Length, text.Split('\n').Length - 1); // the documentation
    }
}
