using System.Globalization;

namespace NestQuant.Compiler.Cli.Rendering;

/// <summary>Numbers as the tables show them.</summary>
internal static class Numbers
{
    private const double Kibi = 1024;

    /// <summary>
    /// A ratio in dB with one decimal; an infinite one is exact, one of nothing but error is lost, an unknown one a dash.
    /// </summary>
    public static string Decibels(double value) =>
        double.IsNaN(value)
            ? "-"
            : double.IsPositiveInfinity(value) ? "exact"
            : double.IsNegativeInfinity(value) ? "lost"
            : value.ToString("0.0", CultureInfo.InvariantCulture);

    /// <summary>A share of 1 in percent with two decimals; a dash when unknown.</summary>
    public static string Percent(double? share) =>
        share is { } value ? (100 * value).ToString("0.00", CultureInfo.InvariantCulture) + " %" : "-";

    /// <summary>A cosine with five decimals.</summary>
    public static string Cosine(double value) => value.ToString("0.00000", CultureInfo.InvariantCulture);

    /// <summary>A number of any size with three significant digits.</summary>
    public static string Significant(double value) => value.ToString("G3", CultureInfo.InvariantCulture);

    /// <summary>A count with thousands separated.</summary>
    public static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Bytes in the largest binary unit that keeps them above 1.</summary>
    public static string Bytes(long value) => value switch
    {
        < 1 << 10 => $"{value} B",
        < 1 << 20 => (value / Kibi).ToString("0.0", CultureInfo.InvariantCulture) + " KiB",
        < 1L << 30 => (value / Kibi / Kibi).ToString("0.0", CultureInfo.InvariantCulture) + " MiB",
        _ => (value / Kibi / Kibi / Kibi).ToString("0.00", CultureInfo.InvariantCulture) + " GiB",
    };
}
