using System.Text;
using CsCheck;
using NestQuant.Compiler.Calibration;
using NestQuant.Onnx;

namespace NestQuant.Compiler.Tests.Calibration;

public sealed class CalibrationJsonTests
{
    private static string Sample =>
        CalibrationGen.Text(("b", CalibrationGen.Statistics(0.5f, -1, 0, 2)), ("a", CalibrationGen.Statistics(3)));

    [Fact]
    public void WhatIsWrittenIsRead() => CalibrationGen.Values.Sample(values =>
    {
        string text = CalibrationGen.Text(("empty", new ActivationStatistics()), ("x", CalibrationGen.Statistics(values)));
        CalibrationStatistics read = Read(text, "test");
        Assert.Equal(text, CalibrationGen.Text(read));
        Assert.Equal(("ab12", 3, 2), (read.SourceSha256, read.Samples, read.Values.Count));
    });

    [Fact]
    public void TheFormIsTheDocumentedOne() => Assert.Equal(
        """
        {
          "format": "nestquant-calibration",
          "version": 1,
          "tool_version": "0.0.0",
          "source_sha256": "ab12",
          "samples": 3,
          "values": {
            "a": {
              "count": 1,
              "min": 3,
              "max": 3,
              "zeros": 0,
              "exponent": -10,
              "first_bin": 3072,
              "bins": [1]
            },
            "b": {
              "count": 4,
              "min": -1,
              "max": 2,
              "zeros": 1,
              "exponent": -10,
              "first_bin": -1024,
              "bins": [1,-1535,1,-1535,1]
            }
          }
        }

        """.ReplaceLineEndings("\n"),
        Sample);

    [Theory]
    [InlineData("{", "")]
    [InlineData("[]", "")]
    [InlineData("{}", "'format' is not 'nestquant-calibration', or 'version' is missing")]
    [InlineData("\"nestquant-calibration\"→\"other\"", "'format' is not 'nestquant-calibration', or 'version' is missing")]
    [InlineData("\"version\": 1→\"version\": 2", "it has version 2, 1 is known")]
    [InlineData("\"samples\": 3→\"samples\": -3", "samples")]
    [InlineData("\"source_sha256\": \"ab12\"→\"source_sha256\": null", "it has no 'source_sha256' property")]
    [InlineData("\"a\": {→\"b\": {", "b")]
    [InlineData("\"min\": 3→\"min\": 4", "'a': min and max are not a range")]
    [InlineData("\"max\": 3→\"max\": 1e99", "a")]
    [InlineData("\"version\": 1,→", "'format' is not 'nestquant-calibration', or 'version' is missing")]
    [InlineData("\"samples\": 3,→", "it lacks 'samples' or 'values'")]
    [InlineData("\"count\": 1,→", "count")]
    [InlineData("\"bins\": [1]→\"bins\": 1", "")]
    [InlineData("\"bins\": [1]→\"bins\": [[1]]", "")]
    [InlineData("\"samples\": 3→\"samples\": 3,\"samples\": 3", "samples")]
    [InlineData("\"a\": {→\"a\": null, \"c\": {", "'a': there are no statistics")]
    [InlineData("\"max\": 3→\"max\": \"3\"", "")]
    [InlineData("\"max\": 3→\"max\": 4", "'a': the bins do not reach min and max")]
    [InlineData("\"exponent\": -10→\"exponent\": -9999", "'a': the exponent is out of range")]
    [InlineData("3072→99999", "'a': the first bin is out of range")]
    [InlineData("3072→4095.5", "")]
    [InlineData("\"bins\": [1]→\"bins\": [2]", "'a': the bins do not add up to the count")]
    [InlineData("\"bins\": [1]→\"bins\": [9223372036854775807,9223372036854775807]", "")]
    [InlineData("\"bins\": [1]→\"bins\": [-1024,1]", "'a': there are too many bins")]
    [InlineData("\"bins\": [1]→\"bins\": [-9223372036854775808]", "'a': there are too many bins")]
    public void DamageIsNamed(string change, string message)
    {
        string[] sides = change.Split('→');
        string text = sides.Length == 1 ? change : Replaced(Sample, sides[0], sides[1]);
        ModelException e = Assert.Throws<ModelException>(() => Read(text, "r.json"));
        Assert.StartsWith("r.json: is not a file of calibration statistics", e.Message, StringComparison.Ordinal);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    /// <summary>What is read and merged is packed, and packing loses nothing.</summary>
    [Fact]
    public void MergingFilesIsMergingValues() => Gen.Select(CalibrationGen.Values, CalibrationGen.Values).Sample((a, b) =>
    {
        CalibrationStatistics merged = Read(CalibrationGen.Text(("x", CalibrationGen.Statistics(a))), "a");
        merged.Add(Read(CalibrationGen.Text(("x", CalibrationGen.Statistics(b))), "b"), "b");
        Assert.Equal(CalibrationGen.Text(CalibrationGen.Statistics([.. a, .. b])), CalibrationGen.Text(merged.Values["x"]));
    });

    /// <summary>
    /// Two bins, as far apart as bins can be, take a few bytes in the file, and 64 KiB as counts of all bins between them.
    /// </summary>
    [Fact]
    public void ReadingTakesMemoryInProportionToTheText()
    {
        const string Value = """{"count":2,"min":-1,"max":1,"zeros":0,"exponent":-11,"first_bin":-2048,"bins":[1,-4095,1]}""";
        string values = string.Join(',', Enumerable.Range(0, 20_000).Select(i => $"\"{i}\":{Value}"));
        byte[] text = Encoding.UTF8.GetBytes(
            """{"format":"nestquant-calibration","version":1,"source_sha256":"ab12","samples":3,"values":{""" + values + "}}");
        long before = GC.GetAllocatedBytesForCurrentThread();
        CalibrationStatistics statistics = CalibrationJson.Read(new MemoryStream(text), "r.json");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 16L * text.Length);
        Assert.Equal(20_000, statistics.Values.Count);
        Assert.Equal(new TensorRange(-1, 1), statistics.RangesBy(new PercentileCalibration { Percent = 100 }, ["7"], threads: 1).Of("7"));
    }

    [Fact]
    public void MoreBinsThanThereAreAreNotRead()
    {
        string zeros = string.Join(',', Enumerable.Repeat("0", 8193));
        DamageIsNamed($"\"bins\": [1]→\"bins\": [{zeros}]", "there are too many bins");
    }

    [Fact]
    public void OnlyPartsOfTheSameSweepAreAdded()
    {
        CalibrationStatistics all = CalibrationGen.Model(("a", CalibrationGen.Statistics(1)));
        all.Add(CalibrationGen.Model(("a", CalibrationGen.Statistics(2))), "b.json");
        Assert.Equal((6, 2), (all.Samples, all.Values["a"].Count));

        Refuses(new CalibrationStatistics("cd34", 1, []), "b.json: belongs to another model (SHA-256 cd34) than the others (ab12)");
        Refuses(CalibrationGen.Model(), "b.json: has no statistics of 'a', unlike the others");
        Refuses(
            CalibrationGen.Model(("a", CalibrationGen.Statistics(2)), ("c", CalibrationGen.Statistics(2))),
            "b.json: has statistics of 'c', unlike the others");
        Assert.Equal((6, 2), (all.Samples, all.Values["a"].Count));

        void Refuses(CalibrationStatistics other, string message) =>
            Assert.Contains(message, Assert.Throws<ModelException>(() => all.Add(other, "b.json")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AValueWithoutElementsHasNoRange()
    {
        ActivationRanges ranges = CalibrationGen.Model(("empty", new ActivationStatistics()), ("x", CalibrationGen.Statistics(-1, 2)))
            .RangesBy(new MinMaxCalibration(), ["empty", "x", "unknown"], threads: 2);
        Assert.Null(ranges.Of("unknown"));
        Assert.Null(ranges.Of("empty"));
        Assert.Equal(new TensorRange(-1, 2), ranges.Of("x"));
    }

    private static CalibrationStatistics Read(string text, string name) =>
        CalibrationJson.Read(new MemoryStream(Encoding.UTF8.GetBytes(text)), name);

    private static string Replaced(string text, string old, string with)
    {
        int at = text.IndexOf(old, StringComparison.Ordinal);
        Assert.True(at >= 0, $"'{old}' does not occur");
        return text[..at] + with + text[(at + old.Length)..];
    }
}
