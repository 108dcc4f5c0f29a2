namespace NestQuant.Benchmarks.Switching;

/// <summary>
/// The share of a device's memory that is available over a day: other programs take most of it in the morning, at noon and in the evening,
/// for a quarter of an hour to two hours, and a little at random.
/// </summary>
internal static class SimulatedDay
{
    private static readonly (double Hour, double Hours, double Share)[] Programs =
    [
        (3.5, 0.7, 0.25), (7.5, 0.8, 0.40), (8.75, 0.25, 0.46), (12.5, 0.6, 0.44), (16, 0.4, 0.30), (19.5, 1.2, 0.41), (21.5, 0.3, 0.45)
    ];

    /// <summary>Available shares, 0 to 1, one for each of so many steps of a day.</summary>
    public static double[] Available(int steps)
    {
        var random = new Random(1);
        return
        [
            .. Enumerable.Range(0, steps).Select(step =>
            {
                double hour = 24.0 * step / steps;
                double taken = Programs.Sum(program =>
                    program.Share * Math.Exp(-0.5 * Math.Pow((hour - program.Hour) / program.Hours, 2)));
                return Math.Clamp(0.5 - taken + 0.03 * (random.NextDouble() - 0.5), 0.02, 1);
            })
        ];
    }
}
