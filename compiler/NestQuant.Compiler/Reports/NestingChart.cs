using System.Globalization;
using System.Text;
using NestQuant.Compiler.Pipeline;

namespace NestQuant.Compiler.Reports;

/// <summary>Horizontal bars of the SQNR of every nested weight at every level, as inline SVG.</summary>
internal static class NestingChart
{
    private const int LabelWidth = 260;
    private const int BarWidth = 520;
    private const int ValueWidth = 60;
    private const int BarHeight = 9;
    private const int RowGap = 10;
    private const int LabelCharacters = 36;

    /// <summary>Appends a titled chart; nothing when there are no weights.</summary>
    public static void Append(StringBuilder html, IReadOnlyList<Decision> nested)
    {
        if (nested.Count == 0)
            return;
        // An exact weight has no ratio: its bar is as long as the longest.
        double longest = nested.SelectMany(decision => decision.Nesting!.Levels).Select(level => level.SqnrDb)
            .Where(double.IsFinite)
            .DefaultIfEmpty(1)
            .Max();
        longest = Math.Max(longest, 1);
        int height = nested.Sum(HeightOf), top = 0;
        int width = LabelWidth + BarWidth + ValueWidth;
        html.Append(
            "<h2>Weight SQNR in dB: <span style=\"color:var(--full)\">full</span> and <span "
                + "style=\"color:var(--part)\">part</span></h2>\n");
        html.Append(
            CultureInfo.InvariantCulture,
            $"<div class=\"wide\"><svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" "
                + $"aria-label=\"SQNR per layer\">\n");
        foreach (Decision decision in nested)
        {
            string node = decision.Node;
            string label = node.Length <= LabelCharacters ? node : string.Concat("…", node.AsSpan(node.Length - LabelCharacters + 1));
            html.Append(
                CultureInfo.InvariantCulture,
                $"<text x=\"{LabelWidth - 10}\" y=\"{top + BarHeight + 5}\" "
                    + $"text-anchor=\"end\">{ReportHtml.Escape(label)}<title>{ReportHtml.Escape(node)}</title></text>\n");
            int bar = top;
            foreach (LevelNumbers level in decision.Nesting!.Levels)
            {
                AppendBar(html, bar == top ? "full" : "part", level.SqnrDb, longest, bar);
                bar += BarHeight + 1;
            }

            top += HeightOf(decision);
        }

        html.Append("</svg></div>\n");
    }

    private static int HeightOf(Decision decision) => (decision.Nesting!.Levels.Count * BarHeight) + RowGap;

    private static void AppendBar(StringBuilder html, string kind, double decibels, double longest, int top)
    {
        double share = double.IsPositiveInfinity(decibels) || double.IsNaN(decibels) ? 1 : Math.Clamp(decibels / longest, 0, 1);
        int length = (int)Math.Round(share * BarWidth);
        html.Append(
            CultureInfo.InvariantCulture,
            $"<rect class=\"{kind}\" x=\"{LabelWidth}\" y=\"{top}\" width=\"{length}\" height=\"{BarHeight}\" rx=\"2\"/>");
        html.Append(
            CultureInfo.InvariantCulture,
            $"<text class=\"v\" x=\"{LabelWidth + length + 6}\" y=\"{top + BarHeight}\">{ReportHtml.Decibels(decibels)}</text>\n");
    }
}
