namespace NestQuant.RuntimeOps.Kernels.GroupNL;

/// <summary>Which seed map every generated map comes from, in the orders in which the kernels ask.</summary>
internal sealed class SourceMap
{
    /// <summary>The widest vector that reads <see cref="Source"/>.</summary>
    public const int MaxLanes = 8;

    private readonly int[] _source;
    private readonly int[] _runs;
    private readonly int[] _first;
    private readonly int[] _generated;

    /// <summary>Prepares the orders.</summary>
    /// <param name="source">For every generated map its seed map, 0 or more each; at least one.</param>
    public SourceMap(int[] source)
    {
        Count = source.Length;
        SeedsNeeded = source.Max() + 1;

        // A vector that starts at the last map may read this far beyond it; seed 0 always exists.
        _source = [.. source, .. new int[MaxLanes]];
        _runs = new int[Count];
        for (int g = Count - 1; g >= 0; g--)
            _runs[g] = g + 1 < Count && source[g + 1] == source[g] + 1 ? _runs[g + 1] + 1 : 1;

        _first = new int[SeedsNeeded + 1];
        foreach (int seed in source)
            _first[seed + 1]++;
        for (int seed = 0; seed < SeedsNeeded; seed++)
            _first[seed + 1] += _first[seed];
        int[] next = [.. _first];
        _generated = new int[Count];
        for (int g = 0; g < Count; g++)
            _generated[next[source[g]]++] = g;
    }

    /// <summary>G, the number of generated maps.</summary>
    public int Count { get; }

    /// <summary>The least number of seed maps that has every source.</summary>
    public int SeedsNeeded { get; }

    /// <summary>For every generated map its seed, followed by a vector's width of zeros.</summary>
    public ReadOnlySpan<int> Source => _source;

    /// <summary>For every generated map, how many from it on come from consecutive seeds.</summary>
    public ReadOnlySpan<int> Runs => _runs;

    /// <summary>The maps generated from one seed, ascending.</summary>
    public ReadOnlySpan<int> GeneratedFrom(int seed) =>
        seed < SeedsNeeded ? _generated.AsSpan(_first[seed].._first[seed + 1]) : [];
}
