using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Nesting.Calibrated;

/// <summary>A weight while its levels are being found. Everything is [M, K], see <see cref="ChannelMajor"/>.</summary>
/// <param name="Name">Name of the initializer.</param>
/// <param name="Bits">Its levels.</param>
/// <param name="View">Its layout.</param>
/// <param name="Values">The float weights.</param>
/// <param name="Scales">Scale of every output channel at full precision, finite and positive.</param>
/// <param name="ZeroPoints">Zero point of every output channel.</param>
internal sealed record CalibratedWeight(
    string Name, NestedBits Bits, ChannelView View, float[] Values, float[] Scales, int[] ZeroPoints)
{
    private readonly Dictionary<int, WeightLevel> _levels = [];

    /// <summary>Whether the integers of a level are known.</summary>
    public bool Has(int level) => _levels.ContainsKey(level);

    /// <summary>A level that is known.</summary>
    /// <param name="level">Its bits.</param>
    public WeightLevel this[int level]
    {
        get => _levels[level];
        set => _levels[level] = value;
    }

    /// <summary>Steps of the full-precision integers for a step of a level's.</summary>
    public int Gain(int level) => 1 << (Bits.Full - level);

    /// <summary>The float weight that operators use at a level, as [M, K]: (2^(n - b) * integer - zero point) * scale.</summary>
    public float[] Dequantized(int level)
    {
        WeightLevel found = _levels[level];
        int length = View.WeightsPerChannel, gain = Gain(level);
        var values = new float[Values.Length];
        for (int m = 0; m < Scales.Length; m++)
            for (int i = m * length; i < (m + 1) * length; i++)
                values[i] = ((float)((found.Integers[i] * gain) - (long)ZeroPoints[m])) * found.Scales[m];
        return values;
    }
}

/// <summary>A level of a weight.</summary>
/// <param name="Integers">The integers, [M, K].</param>
/// <param name="Scales">The scale of every output channel, in steps of full precision.</param>
/// <param name="OutputError">
/// Relative squared error of the layer's outputs on the calibration data; null where it was not calibrated.
/// </param>
internal sealed record WeightLevel(sbyte[] Integers, float[] Scales, double? OutputError = null);
