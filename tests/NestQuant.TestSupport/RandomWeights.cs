using NestQuant.RuntimeOps.Packing;

namespace NestQuant.TestSupport;

/// <summary>Seeded random nested weights.</summary>
public static class RandomWeights
{
    /// <summary>Creates w_high and w_low over their whole ranges, kept to those that give a w_int of n bits.</summary>
    public static (sbyte[] High, sbyte[] Low) Create(NestedLayout layout, int seed)
    {
        Random random = new(seed);
        NestedBits bits = layout.Bits;
        sbyte[] high = new sbyte[layout.View.Count];
        sbyte[] low = new sbyte[layout.View.Count];
        for (int i = 0; i < high.Length; i++)
        {
            high[i] = (sbyte)random.Next(-(1 << (bits.High - 1)), 1 << (bits.High - 1));
            int lowest = high[i] == -(1 << (bits.High - 1)) ? 0 : -(1 << bits.Shift);
            low[i] = (sbyte)random.Next(lowest, 1 << bits.Shift);
        }

        return (high, low);
    }
}
