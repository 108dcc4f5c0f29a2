using CsCheck;
using NestQuant.Compiler.Pipeline;
using NestQuant.Compiler.Reports;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using Snapshooter.Xunit;

namespace NestQuant.Compiler.Tests.Reports;

public sealed class ReportTests
{
    private static readonly CompileReport Example = new(
        "0.1.0",
        "models/net.onnx",
        12345,
        "0123abcd",
        "nest 8:6",
        ExampleLog(),
        [new SavedFile("out/net.high.bin", 4096), new SavedFile("out/net.onnx", 999)]);

    [Fact]
    public void The_log_is_compact_json() => Snapshot.Match(DecisionJson.Write(Example.Decisions));

    [Fact]
    public void The_json_report_is_stable() => Snapshot.Match(ReportJson.Write(Example));

    [Fact]
    public void The_html_report_is_stable() => Snapshot.Match(ReportHtml.Write(Example));

    [Fact]
    public void A_warning_stands_in_both_reports()
    {
        var log = new DecisionLog();
        log.Rewritten(
            "nesting",
            "<first>",
            "Conv",
            Numbers(1, 4, 1, 1, 0, double.NegativeInfinity),
            warning: "weights & all are lost");
        CompileReport report = Example with { Decisions = log };
        Assert.Contains("\"warning\": \"weights & all are lost\"", ReportJson.Write(report), StringComparison.Ordinal);
        Assert.Contains(
            "<li><code>&lt;first&gt;</code>: weights &amp; all are lost</li>", ReportHtml.Write(report), StringComparison.Ordinal);
        Assert.Contains(">lost</td>", ReportHtml.Write(report), StringComparison.Ordinal);
    }

    [Fact]
    public void Estimated_times_stand_in_the_json_report()
    {
        CompileReport report = Example with { Times = new TimeEstimate(10, 25.25, [new LayerTime("small", 2, 8)]) };
        Assert.Contains(
            "\"estimated_us\":{\"float\":10,\"nested\":25.2,\"slower\":[{\"node\":\"small\",\"float\":2,\"nested\":8}]}",
            string.Concat(ReportJson.Write(report).Where(static c => !char.IsWhiteSpace(c))),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_that_stay_float_stand_in_both_reports()
    {
        CompileReport report = Example with { FloatWeights = new FloatWeights(4000, [new FloatWeightGroup("read by <LSTM>", 2, 1000)]) };
        string json = string.Concat(ReportJson.Write(report).Where(static c => !char.IsWhiteSpace(c))), html = ReportHtml.Write(report);
        Assert.Contains(
            "\"float_weights\":{\"bytes\":1000,\"all_bytes\":4000,\"groups\":[{\"reason\":\"readby<LSTM>\",\"tensors\":2,\"bytes\":1000}]}",
            json,
            StringComparison.Ordinal);
        Assert.Contains("Weights in float: 25.0 % of all bytes", html, StringComparison.Ordinal);
        Assert.Contains(
            "<tr><td>read by &lt;LSTM&gt;</td><td class=\"n\">2</td><td class=\"n\">1,000</td></tr>", html, StringComparison.Ordinal);
        Assert.DoesNotContain("float", ReportJson.Write(Example), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_level_has_a_column_and_a_bar()
    {
        var log = new DecisionLog();
        LevelNumbers[] levels = [new(8, 30, 42.5), new(6, 20, 31.5), new(4, 10, 20.5)];
        log.Rewritten("nesting", "first", "Conv", new NestingNumbers(levels, 100, 400));
        log.Rewritten("nesting", "second", "Conv", Numbers(100, 400, 60, 40, 44.5, 33.5));
        CompileReport report = Example with { Decisions = log };
        string html = ReportHtml.Write(report);
        foreach (string title in (string[])["8-bit dB", "6-bit dB", "4-bit dB", "high", "low.6", "low.8"])
            Assert.Contains($"<th class=\"n\">{title}</th>", html, StringComparison.Ordinal);
        Assert.Contains("<td>nested 8:6:4</td>", html, StringComparison.Ordinal);
        Assert.Equal(5, html.Split("<rect ").Length - 1);
        // The second weight has no level of 4 bits, and no step to 6.
        Assert.Contains(
            string.Concat(((string[])["44.5", "33.5", "", "400", "60", "", "40"]).Select(text => $"<td class=\"n\">{text}</td>")),
            html,
            StringComparison.Ordinal);
        Assert.Contains("\"sqnr_db\": 31.5", ReportJson.Write(report), StringComparison.Ordinal);
    }

    [Fact]
    public void A_log_survives_the_round_trip()
    {
        Gen<NestingNumbers> numbers =
            from count in Gen.Int[2, 7]
            from counts in Gen.Long[0, 1L << 50].Array[2]
            from bytes in Gen.Long[0, 1L << 50].Array[count]
            from decibels in Gen.Frequency(
                (4, Gen.Int[-500_000, 2_000_000].Select(d => d / 10_000.0)),
                (1, Gen.Const(double.PositiveInfinity)),
                (1, Gen.Const(double.NegativeInfinity))).Array[count]
            select new NestingNumbers(
                [.. Enumerable.Range(0, count).Select(i => new LevelNumbers(8 - i, bytes[i], decibels[i]))], counts[0], counts[1]);
        Gen<Decision> decisions =
            from names in Gen.String.Array[3]
            from text in Gen.String
            from nesting in numbers
            from kind in Gen.Int[0, 3]
            select kind switch
            {
                0 => new Decision(names[0], names[1], names[2], Reason: text),
                1 => new Decision(names[0], names[1], names[2], Note: text),
                2 => new Decision(names[0], names[1], names[2], Nesting: nesting, Note: text),
                _ => new Decision(names[0], names[1], names[2], Nesting: nesting, Warning: text),
            };
        decisions.List[0, 5].Where(list => list.All(IsValidText)).Sample(list =>
        {
            var log = new DecisionLog();
            foreach (Decision decision in list)
            {
                if (decision.Reason is { } reason)
                    log.Kept(decision.Pass, decision.Node, decision.Op, reason);
                else
                    log.Rewritten(decision.Pass, decision.Node, decision.Op, decision.Nesting, decision.Note, decision.Warning);
            }

            string json = DecisionJson.Write(log);
            Assert.Equal(list, DecisionJson.Read(json).Decisions);
            Assert.Equal(json, DecisionJson.Write(DecisionJson.Read(json)));
        });
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("[{}]")]
    [InlineData("[{\"pass\":null,\"node\":\"n\",\"op\":\"o\"}]")]
    [InlineData("[{\"pass\":\"p\",\"node\":\"n\",\"op\":\"o\",\"nesting\":{\"n\":8}}]")]
    [InlineData("[{\"pass\":\"p\",\"node\":\"n\",\"op\":\"o\",\"nesting\":{\"n\":\"8\"}}]")]
    public void A_damaged_log_is_one_clear_error(string json)
    {
        var error = Assert.Throws<ModelException>(() => DecisionJson.Read(json));
        Assert.StartsWith("the decision log of the model is damaged", error.Message, StringComparison.Ordinal);
    }

    // JSON holds Unicode text; a lone surrogate, which no model's UTF-8 can hold either, has no place in it.
    private static bool IsValidText(Decision decision) =>
        new[] { decision.Pass, decision.Node, decision.Op, decision.Reason, decision.Note, decision.Warning }.All(
            text => text is null || !text.Any(char.IsSurrogate));

    private static NestingNumbers Numbers(long weights, long sourceBytes, long high, long low, double full, double part) =>
        new([new LevelNumbers(8, low, full), new LevelNumbers(6, high, part)], weights, sourceBytes);

    private static DecisionLog ExampleLog()
    {
        var log = new DecisionLog();
        log.Rewritten("batch-norm-folding", "bn1", "BatchNormalization");
        log.Rewritten(
            "nesting", "/conv1/Conv", "Conv", Numbers(432, 1728, 1024, 512, 48.123456, 34.5), "weight-only: <why>");
        log.Rewritten("nesting", "/exact/Gemm", "Gemm", Numbers(10, 40, 24, 12, double.PositiveInfinity, 20));
        log.Kept("nesting", "MatMul \"x\"", "MatMul", "its weight 'w' is not a constant");
        return log;
    }
}
