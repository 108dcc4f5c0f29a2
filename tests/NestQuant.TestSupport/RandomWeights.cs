using NestQuant.RuntimeOps.Packing;

namespace NestQuant.TestSupport;

/// <summary>Seeded random nested weights.</summary>
public static class RandomWeights
{
    /// <summary>Creates w_high and w_low of two levels over their whole ranges, kept to those that give a w_int of n bits.</summary>
    public static (sbyte[] High, sbyte[] Low) Create(NestedLayout layout, int seed)
    {
        sbyte[][] values = CreateSteps(layout, seed);
        return (values[0], values[1]);
    }

    /// <summary>Creates w_high and w_low of every step over their whole ranges, kept to those that give a level's bits.</summary>
    public static sbyte[][] CreateSteps(NestedLayout layout, int seed)
    {
        Random random = new(seed);
        int[] levels = [.. layout.Bits.Levels.Reverse()];
        sbyte[][] values = [.. levels.Select(_ => new sbyte[layout.View.Count])];
        for (int i = 0; i < values[0].Length; i++)
        {
            int weight = random.Next(-(1 << (levels[0] - 1)), 1 << (levels[0] - 1));
            values[0][i] = (sbyte)weight;
            for (int step = 1; step < levels.Length; step++)
            {
                int range = 1 << (levels[step] - levels[step - 1]);
                int low = random.Next(weight == -(1 << (levels[step - 1] - 1)) ? 0 : -range, range);
                values[step][i] = (sbyte)low;
                weight = range * weight + low;
            }
        }

        return values;
    }

    /// <summary>The integers of a level in steps of the full-precision weight, 2^(n-b) * w_b.</summary>
    public static sbyte[] Level(NestedBits bits, sbyte[][] values, int level)
    {
        int[] levels = [.. bits.Levels.Reverse().TakeWhile(b => b <= level)];
        return
        [
            .. Enumerable.Range(0, values[0].Length).Select(i =>
                (sbyte)levels.Select((b, step) => values[step][i] << (bits.Full - b)).Sum()),
        ];
    }
}
