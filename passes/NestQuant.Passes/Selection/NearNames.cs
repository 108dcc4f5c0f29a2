namespace NestQuant.Passes.Selection;

/// <summary>The names that somebody who mistyped one may have meant.</summary>
internal static class NearNames
{
    private const int Shown = 3;

    /// <summary>
    /// Up to three of the names, nearest first, as the end of a message: "; near it: 'a', 'b'". Empty where there are none.
    /// </summary>
    public static string Hint(string name, IEnumerable<string> known)
    {
        string[] near =
        [
            .. known.Distinct(StringComparer.Ordinal)
                .OrderBy(candidate => Distance(name, candidate))
                .ThenBy(static candidate => candidate, StringComparer.Ordinal)
                .Take(Shown)
                .Select(static candidate => $"'{candidate}'"),
        ];
        return near.Length == 0 ? "" : $"; near it: {string.Join(", ", near)}";
    }

    /// <summary>Levenshtein's distance: insertions, deletions and changes of characters that make one text of the other.</summary>
    internal static int Distance(string from, string to)
    {
        int[] row = [.. Enumerable.Range(0, to.Length + 1)];
        for (int i = 1; i <= from.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= to.Length; j++)
            {
                int changed = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(changed, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
