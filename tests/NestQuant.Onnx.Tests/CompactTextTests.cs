using System.IO.Compression;
using NestQuant.Onnx.Text;

namespace NestQuant.Onnx.Tests;

public sealed class CompactTextTests
{
    private static readonly string Long = string.Concat(Enumerable.Range(0, 100).Select(i => $"/größer/{i}/Conv "));

    [Fact]
    public void ALongTextBecomesShorterAndComesBack()
    {
        var packed = CompactText.Pack(Long);
        Assert.StartsWith("br:", packed, StringComparison.Ordinal);
        Assert.InRange(packed.Length, 1, Long.Length / 3);
        Assert.Equal(Long, CompactText.Unpack(packed));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("br:")]
    [InlineData("br:no base64")]
    [InlineData("br:AAAA")]
    public void OtherTextsStayAsTheyAre(string text)
    {
        Assert.Equal(text, CompactText.Pack(text));
        Assert.Equal(text, CompactText.Unpack(text));
    }

    [Fact]
    public void ATextThatWouldFillTheMemoryStaysPacked()
    {
        var packed = new byte[1 << 20];
        Assert.True(BrotliEncoder.TryCompress(new byte[(64 << 20) + 1], packed, out var length, quality: 1, window: 22));
        var text = "br:" + Convert.ToBase64String(packed, 0, length);
        Assert.Equal(text, CompactText.Unpack(text));
    }

    [Fact]
    public void ModelsAreComparedByTheTextItself()
    {
        ModelProto a = Sample.Linear(), b = Sample.Linear();
        a.MetadataProps.Add(new StringStringEntryProto("log", CompactText.Pack(Long)));
        b.MetadataProps.Add(new StringStringEntryProto("log", Long));
        Assert.True(ModelDiff.Compare(a, b).IsEmpty);
        b.MetadataProps[^1].Value = CompactText.Pack(Long + "end");
        Assert.Contains("/größer/99/Conv", $"{ModelDiff.Compare(a, b)}", StringComparison.Ordinal);
        Assert.Contains($"{Long.Length} characters", ModelText.Print(a, new TextOptions { Metadata = true }), StringComparison.Ordinal);
    }
}
