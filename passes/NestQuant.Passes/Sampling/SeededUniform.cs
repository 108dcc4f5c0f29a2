namespace NestQuant.Passes.Sampling;

/// <summary>
/// Uniform numbers that depend on the seed alone, on every machine and in every version of .NET, unlike System.Random
/// (SplitMix64: Steele, Lea and Flood, OOPSLA 2014).
/// </summary>
internal sealed class SeededUniform(int seed)
{
    private ulong _state = (ulong)seed;

    /// <summary>Draws <paramref name="count"/> numbers.</summary>
    public float[] Next(int count, UniformRange range)
    {
        var values = new float[count];
        foreach (ref float value in values.AsSpan()) value = (float)(range.Low + (((double)range.High - range.Low) * NextUnit()));
        return values;
    }

    /// <summary>A number in [0, 1), of 53 random bits.</summary>
    private double NextUnit()
    {
        ulong bits = _state += 0x9E3779B97F4A7C15;
        bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
        bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
        return ((bits ^ (bits >> 31)) >> 11) * (1.0 / (1UL << 53));
    }
}
