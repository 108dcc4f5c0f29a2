namespace NestQuant.RuntimeOps.Kernels.GroupNL.Functions;

/// <summary>The seed map of every generated map, in the orders that the kernels need.</summary>
internal sealed class SourceMap
{
    /// <summary>The widest vector that reads <see cref="Source"/>.</summary>
    public const int MaxLanes = 8;

    private readonly int[] _source;
    private readonly int[] _runs;
    private readonly int[] _bySource;

    /// <summary>Prepares the orders.</summary>
    /// <param name="source">For every generated map its seed map, from 0 on; at least one.</param>
    public SourceMap(int[] source)
    {
        Count = source.Length;
        SeedsNeeded = source.Max() + 1;
        _source = [.. source, .. new int[MaxLanes]];
        _bySource = [.. Enumerable.Range(0, Count).OrderBy(g => source[g])];
        _runs = new int[Count];
        for (int g = Count - 1; g >= 0; g--)
            _runs[g] = g + 1 < Count && source[g + 1] == source[g] + 1 ? _runs[g + 1] + 1 : 1;
    }

    /// <summary>G, the number of generated maps.</summary>
    public int Count { get; }

    /// <summary>The smallest number of seed maps that includes every source.</summary>
    public int SeedsNeeded { get; }

    /// <summary>For every generated map its seed; then zeros, so that a vector may start at the last map (seed 0 always exists).</summary>
    public ReadOnlySpan<int> Source => _source;

    /// <summary>For every generated map, how many from it on come from consecutive seeds.</summary>
    public ReadOnlySpan<int> Runs => _runs;

    /// <summary>The generated maps in the order of their seeds.</summary>
    public ReadOnlySpan<int> BySource => _bySource;
}
