using System.Globalization;

namespace NestQuant.Data.Corruptions;

/// <summary>Which corruptions to apply, each at which severities.</summary>
/// <param name="Corruptions">Distinct corruptions, in the order asked for.</param>
/// <param name="Severities">Ascending severities, the same for every corruption.</param>
public sealed record CorruptionSelection(IReadOnlyList<Corruption> Corruptions, IReadOnlyList<int> Severities)
{
    private const string AllName = "all";

    /// <summary>
    /// Reads <c>NAME,NAME,...[:SEVERITIES]</c>. <c>all</c> means every corruption; severities are one number or a range such as <c>1-5</c>,
    /// which is also the default.
    /// </summary>
    /// <exception cref="FormatException">The text has another form, or names a corruption that does not exist.</exception>
    public static CorruptionSelection Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] parts = text.Split(':');
        if (parts.Length > 2)
            throw new FormatException($"'{text}' has more than one ':': the severities come last and apply to all corruptions");
        return new CorruptionSelection(
            ParseNames(parts[0]), ParseSeverities(parts.Length == 2 ? parts[1] : $"{Corruption.MinSeverity}-{Corruption.MaxSeverity}"));
    }

    private static IReadOnlyList<Corruption> ParseNames(string text)
    {
        if (text == AllName)
            return CorruptionCatalog.All;
        var corruptions = new List<Corruption>();
        foreach (string name in text.Split(','))
        {
            Corruption corruption = CorruptionCatalog.Find(name)
                ?? throw new FormatException(
                    $"'{name}' is not a corruption: "
                    + $"{string.Join(", ", CorruptionCatalog.All.Select(c => c.Name))} or {AllName} are possible");
            if (corruptions.Contains(corruption))
                throw new FormatException($"'{name}' is named twice");
            corruptions.Add(corruption);
        }

        return corruptions;
    }

    private static IReadOnlyList<int> ParseSeverities(string text)
    {
        string[] ends = text.Split('-');
        int[] severities =
        [
            .. ends.Select(end => int.TryParse(end, NumberStyles.None, CultureInfo.InvariantCulture, out int severity) ? severity : 0)
        ];
        bool valid = severities.Length <= 2
            && severities.All(severity => severity is >= Corruption.MinSeverity and <= Corruption.MaxSeverity)
            && severities[0] <= severities[^1];
        if (!valid)
            throw new FormatException(
                $"the severities are '{text}': a number from {Corruption.MinSeverity} to {Corruption.MaxSeverity} or a range such as "
                    + "1-5 is needed");
        return [.. Enumerable.Range(severities[0], severities[^1] - severities[0] + 1)];
    }
}
