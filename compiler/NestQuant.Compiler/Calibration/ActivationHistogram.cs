namespace NestQuant.Compiler.Calibration;

/// <summary>
/// Counts of values in bins of equal, power-of-two width. Zero is a boundary between bins, so that when a larger value doubles the width,
/// each new bin is exactly two neighbouring old ones: the counts depend on the values alone, not on their order or on how they were divided
/// before a merge.
/// </summary>
/// <remarks>
/// Bin i holds the values x != 0 with i * 2^e &lt;= x &lt; (i + 1) * 2^e, for i from -<see cref="HalfBins"/> to <see cref="HalfBins"/> - 1;
/// e is the smallest exponent for which all values have a bin. Zeros are counted separately, since every quantization represents them
/// without error.
/// </remarks>
public sealed class ActivationHistogram
{
    /// <summary>
    /// Bins on either side of zero. The largest magnitude lies in the outer half of them, so the range is resolved into at least 2,048
    /// steps.
    /// </summary>
    public const int HalfBins = 4096;

    /// <summary>The smallest exponent: a bin is as wide as float32's smallest step.</summary>
    public const int MinExponent = -149;

    /// <summary>The largest exponent, with which every finite float32 has a bin.</summary>
    public const int MaxExponent = 116;

    // Either the counts of all bins, or their packed form, since files hold statistics of thousands of activations.
    private long[]? _counts;
    private PackedBins? _packed;

    /// <summary>Starts without values.</summary>
    public ActivationHistogram() => _counts = new long[2 * HalfBins];

    private ActivationHistogram(int exponent, long zeros, PackedBins? packed, long[]? counts) =>
        (Exponent, Zeros, _packed, _counts) = (exponent, zeros, packed, counts);

    /// <summary>e: bins are 2^e wide.</summary>
    public int Exponent { get; private set; } = MinExponent;

    /// <summary>Width of a bin, 2^e.</summary>
    public double BinWidth => Math.ScaleB(1, Exponent);

    /// <summary>Number of values that are zero.</summary>
    public long Zeros { get; private set; }

    /// <summary>The lowest bin that is not empty; 0 when all are.</summary>
    public int FirstBin => Array.FindIndex(Counts, static count => count != 0) is >= 0 and var index ? index - HalfBins : 0;

    /// <summary>The highest bin that is not empty; -1 when all are.</summary>
    public int LastBin => Array.FindLastIndex(Counts, static count => count != 0) is >= 0 and var index ? index - HalfBins : -1;

    /// <summary>Number of values in bin <paramref name="bin"/>, from -<see cref="HalfBins"/> to <see cref="HalfBins"/> - 1.</summary>
    public long this[int bin] => Counts[bin + HalfBins];

    private long[] Counts => _counts ??= _packed!.Unpack();

    /// <summary>A histogram with given content, as <see cref="CalibrationJson"/> reads it.</summary>
    internal static ActivationHistogram Of(int exponent, long zeros, PackedBins bins) => new(exponent, zeros, bins, counts: null);

    /// <summary>An unpacked copy for reading every bin, which takes the memory of all of them.</summary>
    internal ActivationHistogram Unpacked() => new(Exponent, Zeros, packed: null, _counts ?? _packed!.Unpack());

    /// <summary>The bins in the packed form of files.</summary>
    internal PackedBins Pack() => PackedBins.Of(_counts ?? _packed!.Unpack());

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
        long[] counts = Counts;
        foreach (float value in values)
        {
            // The product is exact: the factor is a power of two, and float64 has the range.
            if (value == 0)
                Zeros++;
            else
                counts[(int)Math.Floor(value * bins) + HalfBins]++;
        }
    }

    /// <summary>Adds the counts of another histogram. This one is packed afterwards.</summary>
    internal void Add(ActivationHistogram other)
    {
        Widen(other.Exponent);
        AddTo(Counts, other._counts ?? other._packed!.Unpack(), Exponent - other.Exponent);
        Zeros += other.Zeros;
        (_packed, _counts) = (Pack(), null);
    }

    private void Widen(int exponent)
    {
        if (exponent <= Exponent)
            return;
        var counts = new long[2 * HalfBins];
        AddTo(counts, Counts, exponent - Exponent);
        (_counts, Exponent) = (counts, exponent);
    }

    /// <summary>Adds counts to those of bins whose width has been doubled <paramref name="doublings"/> times more.</summary>
    private static void AddTo(long[] sums, long[] counts, int doublings)
    {
        // An arithmetic shift rounds down, also below zero: bins -2 and -1 become bin -1. A shift count above 31 would wrap around.
        int shift = Math.Min(doublings, 31);
        for (int i = 0; i < counts.Length; i++)
            sums[((i - HalfBins) >> shift) + HalfBins] += counts[i];
    }
}
