namespace NestQuant.Passes.Nesting;

/// <summary>Selection of the largest keys without sorting all of them.</summary>
internal static class TopSelection
{
    /// <summary>Up to this many keys are found faster by repeated search than by partitioning.</summary>
    private const int FewKeys = 3;

    /// <summary>
    /// Reorders <paramref name="keys"/>, all different, so that its <paramref name="count"/> largest come first, in any order.
    /// </summary>
    public static void MoveLargestToFront(Span<ulong> keys, int count)
    {
        if (count <= 0 || count >= keys.Length) return;
        if (count <= FewKeys)
        {
            for (int i = 0; i < count; i++) MoveLargestTo(i, keys);
            return;
        }

        // Quickselect. Its quadratic worst case is cut off: after 2 log2(n) partitions the rest is sorted.
        int first = 0, end = keys.Length;
        for (int budget = 2 * (int)Math.Log2(keys.Length); end - first > 1; budget--)
        {
            if (budget == 0)
            {
                keys[first..end].Sort(static (a, b) => b.CompareTo(a));
                return;
            }

            int split = first + Partition(keys[first..end]);
            if (split == count || split + 1 == count) return;
            if (split > count) end = split;
            else first = split + 1;
        }
    }

    private static void MoveLargestTo(int position, Span<ulong> keys)
    {
        int best = position;
        for (int i = position + 1; i < keys.Length; i++)
            if (keys[i] > keys[best]) best = i;
        (keys[position], keys[best]) = (keys[best], keys[position]);
    }

    /// <summary>Puts a pivot in its place: larger keys before it, smaller ones behind. Returns that place.</summary>
    private static int Partition(Span<ulong> keys)
    {
        int last = keys.Length - 1;
        int middle = MedianOfThree(keys, 0, last / 2, last);
        (keys[middle], keys[last]) = (keys[last], keys[middle]);
        ulong pivot = keys[last];
        int place = 0;
        for (int i = 0; i < last; i++)
        {
            ulong key = keys[i];
            keys[i] = keys[place];
            keys[place] = key;
            if (key > pivot) place++;
        }

        (keys[place], keys[last]) = (keys[last], keys[place]);
        return place;
    }

    private static int MedianOfThree(Span<ulong> keys, int a, int b, int c)
    {
        if (keys[a] < keys[b]) (a, b) = (b, a);
        if (keys[b] < keys[c]) b = keys[a] < keys[c] ? a : c;
        return b;
    }
}
