using System.Globalization;
using System.Net;
using System.Text;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;

namespace NestQuant.Compiler.Reports;

/// <summary>A compile report as one self-contained page: totals, a chart of every layer's SQNR, the decisions and the files.</summary>
public static class ReportHtml
{
    private const string Style = """
        :root{color-scheme:light dark;--ink:#1c2430;--soft:#5d6b7c;--line:#d9e0e8;--paper:#fff;--full:#2b6cb0;--part:#dd7a26}
        @media(prefers-color-scheme:dark){:root{--ink:#e6ebf1;--soft:#98a6b6;--line:#323c48;--paper:#161b22;--full:#63a4e8;--part:#f0a35e}}
        body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);
        max-width:68rem;margin:2.5rem auto;padding:0 1.2rem}
        h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2.2rem 0 .6rem}p{margin:.3rem 0;color:var(--soft)}
        .totals{display:flex;flex-wrap:wrap;gap:2.2rem;margin:1.4rem 0}
        .totals b{display:block;font-size:1.5rem;color:var(--ink)}
        .totals span{color:var(--soft)}
        .wide{overflow-x:auto}
        table{border-collapse:collapse;width:100%}th,td{padding:.35rem .7rem;border-bottom:1px solid var(--line);text-align:left}
        th{color:var(--soft);font-weight:600}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
        tr.kept td{color:var(--soft)}code{font:13px ui-monospace,monospace;word-break:break-all}
        svg{display:block}
        svg text{font:12px system-ui,sans-serif;fill:var(--ink)}svg .v{fill:var(--soft)}.full{fill:var(--full)}.part{fill:var(--part)}
        """;

    /// <summary>Writes a report; the same report gives the same text.</summary>
    public static string Write(CompileReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        Decision[] weights = [.. report.Decisions.Decisions.Where(decision => decision.Nesting is not null || !decision.Rewritten)];
        var html = new StringBuilder();
        html.Append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        html.Append("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n");
        html.Append(
            $"<title>{Escape(Path.GetFileName(report.Source))}: compile report</title>\n<style>\n{Style}\n</style>\n</head>\n<body>\n");
        html.Append(
            $"<h1>{Escape(Path.GetFileName(report.Source))}</h1>\n<p>{Escape(report.Options)}; nestquant {Escape(report.Version)}</p>\n");
        if (report.SourceSha256 is { } hash)
            html.Append($"<p>source {Count(report.SourceBytes)} bytes, SHA-256 <code>{Escape(hash)}</code></p>\n");
        AppendTotals(html, weights);
        NestingChart.Append(html, [.. weights.Where(decision => decision.Nesting is not null)]);
        AppendWarnings(html, report.Decisions);
        AppendDecisions(html, weights);
        AppendFloatWeights(html, report.FloatWeights);
        AppendOther(html, report.Decisions);
        AppendFiles(html, report.Files);
        return html.Append("</body>\n</html>\n").ToString();
    }

    /// <summary>Text escaped so that it can neither become markup nor look like something else.</summary>
    internal static string Escape(string text) => WebUtility.HtmlEncode(DisplayText.Of(text));

    /// <summary>A ratio in dB with one decimal.</summary>
    internal static string Decibels(double value) =>
        double.IsNegativeInfinity(value) ? "lost" : double.IsFinite(value) ? value.ToString("0.0", CultureInfo.InvariantCulture) : "exact";

    private static void AppendTotals(StringBuilder html, Decision[] weights)
    {
        Decision[] decisions = [.. weights.Where(decision => decision.Nesting is not null)];
        if (decisions.Length == 0)
            return;
        NestingNumbers[] nested = [.. decisions.Select(decision => decision.Nesting!)];
        LevelColumns columns = LevelColumns.Of(nested);
        html.Append("<div class=\"totals\">\n");
        Append($"{nested.Length} of {weights.Count(decision => decision.Pass == decisions[0].Pass)}", "candidates nested");
        Append(Count(nested.Sum(n => n.Weights)), "weights");
        Append(Count(nested.Sum(n => n.SourceBytes)), "bytes before");
        foreach (var (title, bytes) in columns.Bytes)
            Append(Count(nested.Sum(n => bytes(n) ?? 0)), $"bytes {title}");
        html.Append("</div>\n");

        void Append(string value, string label) => html.Append($"<div><b>{value}</b><span>{label}</span></div>\n");
    }

    private static void AppendWarnings(StringBuilder html, DecisionLog log)
    {
        Decision[] lossy = [.. log.Decisions.Where(decision => decision.Warning is not null)];
        if (lossy.Length == 0)
            return;
        html.Append("<h2>Warnings</h2>\n<ul>\n");
        foreach (Decision decision in lossy)
            html.Append($"<li><code>{Escape(decision.Node)}</code>: {Escape(decision.Warning!)}</li>\n");
        html.Append("</ul>\n");
    }

    private static void AppendDecisions(StringBuilder html, Decision[] decisions)
    {
        if (decisions.Length == 0)
            return;
        LevelColumns columns = LevelColumns.Of([.. decisions.Select(decision => decision.Nesting).OfType<NestingNumbers>()]);
        string[] titles = [.. columns.Decibels.Select(column => column.Title), "bytes", .. columns.Bytes.Select(column => column.Title)];
        html.Append("<h2>Decisions</h2>\n<div class=\"wide\"><table>\n<tr><th>node</th><th>op</th><th>outcome</th>");
        html.Append(string.Concat(titles.Select(title => $"<th class=\"n\">{title}</th>")) + "</tr>\n");
        foreach (Decision decision in decisions)
        {
            html.Append(decision.Nesting is null ? "<tr class=\"kept\">" : "<tr>");
            html.Append($"<td><code>{Escape(decision.Node)}</code></td><td>{Escape(decision.Op)}</td>");
            if (decision.Nesting is { } nesting)
            {
                string note = decision.Note is null ? "" : $" ({Escape(decision.Note)})";
                html.Append($"<td>nested {nesting.Bits}{note}</td>");
                AppendNumbers(html, columns.Decibels.Select(column => column.Value(nesting) is { } ratio ? Decibels(ratio) : ""));
                AppendNumbers(html, [Count(nesting.SourceBytes)]);
                AppendNumbers(html, columns.Bytes.Select(column => column.Value(nesting) is { } bytes ? Count(bytes) : ""));
            }
            else
            {
                html.Append($"<td colspan=\"{titles.Length + 1}\">kept by {Escape(decision.Pass)}: {Escape(decision.Reason!)}</td>");
            }

            html.Append("</tr>\n");
        }

        html.Append("</table></div>\n");
    }

    private static void AppendNumbers(StringBuilder html, IEnumerable<string> numbers)
    {
        foreach (string number in numbers)
            html.Append($"<td class=\"n\">{number}</td>");
    }

    private static void AppendFloatWeights(StringBuilder html, FloatWeights? weights)
    {
        if (weights is not { Bytes: > 0 })
            return;
        html.Append(CultureInfo.InvariantCulture, $"<h2>Weights in float: {weights.Share:P1} of all bytes</h2>\n<table>\n");
        html.Append("<tr><th>reason</th><th class=\"n\">tensors</th><th class=\"n\">bytes</th></tr>\n");
        foreach (FloatWeightGroup group in weights.Groups)
        {
            html.Append($"<tr><td>{Escape(group.Reason)}</td>");
            AppendNumbers(html, [Count(group.Tensors), Count(group.Bytes)]);
            html.Append("</tr>\n");
        }

        html.Append("</table>\n");
    }

    private static void AppendOther(StringBuilder html, DecisionLog log)
    {
        var passes = log.Decisions.Where(decision => decision.Rewritten && decision.Nesting is null)
            .GroupBy(decision => decision.Pass)
            .ToArray();
        if (passes.Length == 0)
            return;
        html.Append("<h2>Other rewrites</h2>\n<table>\n<tr><th>pass</th><th class=\"n\">nodes</th></tr>\n");
        foreach (var pass in passes)
        {
            string what = pass.First() is { Op: Decision.WholeModel, Note: { } note } ? Escape(note) : $"{pass.Count()}";
            html.Append($"<tr><td>{Escape(pass.Key)}</td><td class=\"n\">{what}</td></tr>\n");
        }

        html.Append("</table>\n");
    }

    private static void AppendFiles(StringBuilder html, IReadOnlyList<SavedFile> files)
    {
        html.Append("<h2>Files</h2>\n<table>\n<tr><th>file</th><th class=\"n\">bytes</th></tr>\n");
        foreach (SavedFile file in files)
            html.Append($"<tr><td><code>{Escape(file.Path)}</code></td><td class=\"n\">{Count(file.Bytes)}</td></tr>\n");
        html.Append("</table>\n");
    }

    private static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
