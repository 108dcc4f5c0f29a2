namespace NestQuant.Compiler.Calibration;

/// <summary>
/// Counts of values in bins of equal, power-of-two width. Zero is a border between bins, so that when a larger value doubles the width, each new bin is exactly
/// two neighbouring old ones: what is counted depends on the values alone, not on their order or on how they were divided before a merge.
/// </summary>
/// <remarks>
/// Bin i holds the values x != 0 with i * 2^e &lt;= x &lt; (i + 1) * 2^e, for i from -<see cref="HalfBins"/> to <see cref="HalfBins"/> - 1; e is the smallest
/// exponent for which all values have a bin. Zeros are counted by themselves, since every quantization represents them without error.
/// </remarks>
public sealed class ActivationHistogram
{
    /// <summary>Bins on either side of zero. The largest magnitude lies in the outer half of them, so the range is resolved into at least 2,048 steps.</summary>
    public const int HalfBins = 4096;

    /// <summary>The smallest exponent: a bin is as wide as float32's smallest step.</summary>
    public const int MinExponent = -149;

    /// <summary>The largest exponent, with which every finite float32 has a bin.</summary>
    public const int MaxExponent = 116;

    private long[] _counts = new long[2 * HalfBins];

    /// <summary>e: bins are 2^e wide.</summary>
    public int Exponent { get; private set; } = MinExponent;

    /// <summary>Width of a bin, 2^e.</summary>
    public double BinWidth => Math.ScaleB(1, Exponent);

    /// <summary>Number of values that are zero.</summary>
    public long Zeros { get; private set; }

    /// <summary>The lowest bin that is not empty; 0 when all are.</summary>
    public int FirstBin => Array.FindIndex(_counts, static count => count != 0) is >= 0 and var index ? index - HalfBins : 0;

    /// <summary>The highest bin that is not empty; -1 when all are.</summary>
    public int LastBin => Array.FindLastIndex(_counts, static count => count != 0) is >= 0 and var index ? index - HalfBins : -1;

    /// <summary>Number of values in bin <paramref name="bin"/>, from -<see cref="HalfBins"/> to <see cref="HalfBins"/> - 1.</summary>
    public long this[int bin] => _counts[bin + HalfBins];

    /// <summary>A histogram with given content, as <see cref="CalibrationJson"/> reads it.</summary>
    internal static ActivationHistogram Of(int exponent, long zeros, int firstBin, ReadOnlySpan<long> counts)
    {
        var histogram = new ActivationHistogram { Exponent = exponent, Zeros = zeros };
        counts.CopyTo(histogram._counts.AsSpan(firstBin + HalfBins, counts.Length));
        return histogram;
    }

    /// <summary>Whether all values of a range have a bin at an exponent.</summary>
    internal static bool Covers(int exponent, float min, float max) =>
        Math.ScaleB((double)max, -exponent) < HalfBins && Math.ScaleB((double)min, -exponent) >= -HalfBins;

    /// <summary>Counts values.</summary>
    /// <param name="values">Finite values.</param>
    /// <param name="min">The smallest of them.</param>
    /// <param name="max">The largest.</param>
    internal void Add(ReadOnlySpan<float> values, float min, float max)
    {
        int exponent = Exponent;
        while (!Covers(exponent, min, max))
            exponent++;
        Widen(exponent);
        double bins = Math.ScaleB(1, -Exponent);
        long[] counts = _counts;
        foreach (float value in values)
        {
            // The product is exact: a factor of a power of two, and float64 has the range for it.
            if (value == 0)
                Zeros++;
            else
                counts[(int)Math.Floor(value * bins) + HalfBins]++;
        }
    }

    /// <summary>Counts what another histogram has counted.</summary>
    internal void Add(ActivationHistogram other)
    {
        Widen(other.Exponent);
        int shift = Exponent - other.Exponent;
        other.CopyTo(_counts, shift);
        Zeros += other.Zeros;
    }

    private void Widen(int exponent)
    {
        if (exponent <= Exponent)
            return;
        var counts = new long[2 * HalfBins];
        CopyTo(counts, exponent - Exponent);
        (_counts, Exponent) = (counts, exponent);
    }

    /// <summary>Adds the counts to those of bins whose width has been doubled <paramref name="doublings"/> times more.</summary>
    private void CopyTo(long[] counts, int doublings)
    {
        // An arithmetic shift rounds down, also below zero: bins -2 and -1 become bin -1. Beyond 31 the shift of an int would wrap.
        int shift = Math.Min(doublings, 31);
        for (int i = 0; i < _counts.Length; i++)
            counts[((i - HalfBins) >> shift) + HalfBins] += _counts[i];
    }
}
