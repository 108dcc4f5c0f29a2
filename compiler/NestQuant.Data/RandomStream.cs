using System.Text;

namespace NestQuant.Data;

/// <summary>
/// Random numbers for one picture under one corruption: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014) from a state that mixes everything
/// that identifies the picture. System.Random promises no sequence across versions of .NET.
/// </summary>
internal sealed class RandomStream
{
    private const ulong Golden = 0x9E3779B97F4A7C15;

    private ulong _state;

    public RandomStream(long seed, long sample, string corruption, int severity)
    {
        foreach (byte character in Encoding.UTF8.GetBytes(corruption))
            Absorb(character);
        Absorb((ulong)severity);
        Absorb((ulong)seed);
        Absorb((ulong)sample);
    }

    /// <summary>Uniform in [0, 1).</summary>
    public double Uniform() => (Next() >> 11) * (1.0 / (1L << 53));

    /// <summary>Uniform in [low, high).</summary>
    public double Uniform(double low, double high) => low + ((high - low) * Uniform());

    /// <summary>A whole number in [low, high), for ranges far below 2^32.</summary>
    public int Integer(int low, int high) => low + (int)(Uniform() * (high - low));

    /// <summary>Normal with mean 0 and deviation 1 (Box and Muller).</summary>
    public double Normal() => Math.Sqrt(-2 * Math.Log(1 - Uniform())) * Math.Cos(2 * Math.PI * Uniform());

    /// <summary>Poisson by inversion of its distribution.</summary>
    /// <param name="mean">0 to about 700, beyond which the probability of 0 is no normal double.</param>
    public int Poisson(double mean)
    {
        double remaining = Uniform();
        double probability = Math.Exp(-mean);
        int count = 0;
        // Rounding may leave a small rest beyond the far tail: the search ends at a probability of 0.
        while (remaining >= probability && probability > 0)
        {
            remaining -= probability;
            count++;
            probability *= mean / count;
        }

        return count;
    }

    private void Absorb(ulong value)
    {
        _state ^= value;
        _state = Next();
    }

    private ulong Next()
    {
        ulong z = _state += Golden;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
