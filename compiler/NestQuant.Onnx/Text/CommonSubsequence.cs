using System.Collections;

namespace NestQuant.Onnx.Text;

/// <summary>Longest common subsequence of two lists of strings.</summary>
internal static class CommonSubsequence
{
    /// <summary>Index pairs of equal elements, ascending in both lists, as many as possible.</summary>
    public static IReadOnlyList<(int A, int B)> Of(List<string> a, List<string> b)
    {
        var start = 0;
        while (start < a.Count && start < b.Count && a[start] == b[start])
            start++;
        var tail = 0;
        while (tail < Math.Min(a.Count, b.Count) - start && a[^(tail + 1)] == b[^(tail + 1)])
            tail++;

        var pairs = Enumerable.Range(0, start).Select(i => (i, i)).ToList();
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        Middle(Identify(a, start, a.Count - tail), Identify(b, start, b.Count - tail), start, pairs);
        pairs.AddRange(Enumerable.Range(0, tail).Select(i => (a.Count - tail + i, b.Count - tail + i)));
        return pairs;

        int[] Identify(List<string> items, int from, int to)
        {
            var result = new int[to - from];
            for (var i = from; i < to; i++)
            {
                if (!ids.TryGetValue(items[i], out var id))
                    ids.Add(items[i], id = ids.Count);
                result[i - from] = id;
            }

            return result;
        }
    }

    /// <summary>The textbook dynamic program over suffixes, with one bit per cell for backtracking.</summary>
    private static void Middle(int[] a, int[] b, int offset, List<(int A, int B)> pairs)
    {
        // Two lists of over 46,000 elements without a common end would take more than 256 MB: they count as entirely different.
        if ((long)a.Length * b.Length > int.MaxValue)
            return;

        var skipA = new BitArray(a.Length * b.Length);
        var below = new int[b.Length + 1];
        var row = new int[b.Length + 1];
        for (var i = a.Length - 1; i >= 0; i--)
        {
            for (var j = b.Length - 1; j >= 0; j--)
            {
                skipA[(i * b.Length) + j] = below[j] >= row[j + 1];
                row[j] = a[i] == b[j] ? below[j + 1] + 1 : Math.Max(below[j], row[j + 1]);
            }

            (below, row) = (row, below);
        }

        for (int i = 0, j = 0; i < a.Length && j < b.Length;)
        {
            if (a[i] == b[j])
                pairs.Add((offset + i++, offset + j++));
            else if (skipA[(i * b.Length) + j])
                i++;
            else
                j++;
        }
    }
}
