namespace NestQuant.Security.Tests.Fuzzing;

/// <summary>
/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): a seed gives the same numbers on every machine, which System.Random does not promise.
/// </summary>
internal sealed class SeededRandom(ulong seed)
{
    private ulong _state = seed;

    /// <summary>A number in [0, bound).</summary>
    public int Next(int bound) => (int)(NextBits() % (ulong)bound);

    /// <summary>A number in [low, bound).</summary>
    public int Next(int low, int bound) => low + Next(bound - low);

    /// <summary>True once in <paramref name="n"/> times.</summary>
    public bool OneIn(int n) => Next(n) == 0;

    public T Pick<T>(IReadOnlyList<T> items) => items[Next(items.Count)];

    public void Fill(Span<byte> bytes)
    {
        foreach (ref byte value in bytes) value = (byte)NextBits();
    }

    private ulong NextBits()
    {
        ulong bits = _state += 0x9E3779B97F4A7C15;
        bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
        bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
        return bits ^ (bits >> 31);
    }
}
