using System.Globalization;
using System.Xml.Linq;
using static System.FormattableString;

namespace NestQuant.Benchmarks.Switching;

/// <summary>The simulated day as four curves over the same hours, in SVG.</summary>
internal static class DayChart
{
    private const int Width = 860, Left = 70, Right = 20, PanelHeight = 110, Gap = 34, Top = 28, Panels = 4;

    private const string Ink = "#1f2933", Grid = "#d3dae0", Main = "#1f6fb2", Second = "#e0812b", Bound = "#b23a3a";

    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    /// <summary>Draws the chart.</summary>
    /// <param name="day">The steps of the day.</param>
    /// <param name="low">Available share below which the policy lowers the precision.</param>
    /// <param name="high">Available share above which it may raise it.</param>
    public static string Draw(IReadOnlyList<DayStep> day, double low, double high)
    {
        const int height = Top + Panels * (PanelHeight + Gap) + 10;
        var svg = new XElement(
            Svg + "svg",
            new XAttribute("viewBox", Invariant($"0 0 {Width} {height}")),
            new XAttribute("font-family", "sans-serif"),
            new XAttribute("font-size", 12),
            Rectangle(0, 0, Width, height, "white"));
        Panel(svg, 0, "available memory, %, with the policy's bounds", 60,
            [(Main, Curve(day, static step => 100 * step.Available)), (Bound, [100 * low, 100 * low]), (Bound, [100 * high, 100 * high])]);
        Panel(svg, 1, "precision, bits", Ceiling(day.Max(static step => step.Bits)), [(Main, Curve(day, static step => step.Bits))]);
        Panel(svg, 2, "resident weights, MB: all, and high bits alone", Ceiling(day.Max(static step => step.High + step.Low)),
            [(Main, Curve(day, static step => step.High + step.Low)), (Second, Curve(day, static step => step.High))]);
        Panel(svg, 3, "latency, ms: median, and first run of each step", Ceiling(day.Max(static step => step.First)),
            [(Second, Curve(day, static step => step.First)), (Main, Curve(day, static step => step.Median))]);
        for (int hour = 0; hour <= 24; hour += 3)
            svg.Add(Text(X(hour / 24.0), height - 14, Invariant($"{hour}:00"), "middle"));
        return svg.ToString() + "\n";
    }

    private static double[] Curve(IReadOnlyList<DayStep> day, Func<DayStep, double> value) => [.. day.Select(value)];

    /// <summary>One set of axes; every curve is spread over the whole day.</summary>
    private static void Panel(XElement svg, int panel, string title, double most, (string Color, double[] Values)[] curves)
    {
        int top = Top + panel * (PanelHeight + Gap);
        svg.Add(Text(Left, top - 8, title, "start"));
        foreach (double share in (double[])[0, 0.5, 1])
        {
            double y = top + PanelHeight * (1 - share);
            svg.Add(
                Line(Left, y, Width - Right, y),
                Text(Left - 8, y + 4, (most * share).ToString("0.#", CultureInfo.InvariantCulture), "end"));
        }

        foreach ((string color, double[] values) in curves)
        {
            IEnumerable<string> points = values.Select((value, step) =>
                Invariant($"{X((double)step / (values.Length - 1)):F1},{top + PanelHeight * (1 - Math.Min(1, value / most)):F1}"));
            svg.Add(new XElement(
                Svg + "polyline",
                new XAttribute("points", string.Join(' ', points)),
                new XAttribute("fill", "none"),
                new XAttribute("stroke", color),
                new XAttribute("stroke-width", 1.5)));
        }
    }

    /// <summary>The next number of one digit above a value, so that axes have round numbers.</summary>
    private static double Ceiling(double value)
    {
        double unit = Math.Pow(10, Math.Floor(Math.Log10(value)));
        return Math.Ceiling(value / unit) * unit;
    }

    private static double X(double day) => Left + day * (Width - Left - Right);

    private static XElement Line(double x1, double y1, double x2, double y2) => new(
        Svg + "line",
        new XAttribute("x1", x1), new XAttribute("y1", y1), new XAttribute("x2", x2), new XAttribute("y2", y2),
        new XAttribute("stroke", Grid));

    private static XElement Rectangle(double x, double y, double width, double height, string fill) => new(
        Svg + "rect",
        new XAttribute("x", x), new XAttribute("y", y), new XAttribute("width", width), new XAttribute("height", height),
        new XAttribute("fill", fill));

    private static XElement Text(double x, double y, string text, string anchor) => new(
        Svg + "text",
        new XAttribute("x", x), new XAttribute("y", y), new XAttribute("text-anchor", anchor), new XAttribute("fill", Ink), text);
}
