namespace NestQuant.Data.Corruptions;

/// <summary>Random height maps by the diamond-square algorithm (Fournier, Fussell, Carpenter, 1982) on a torus.</summary>
internal static class PlasmaFractal
{
    // Only its ratio between levels matters: the map is normalised at the end.
    private const double FirstRoughness = 100;

    /// <summary>A map [side, side] whose smallest value is 0 and whose largest is 1.</summary>
    /// <param name="side">A power of two, at least 2.</param>
    /// <param name="decay">Divides the roughness at each finer level; the noise falls with its square.</param>
    /// <param name="random">Source of the noise.</param>
    public static double[] Create(int side, double decay, RandomStream random)
    {
        var map = new double[side * side];
        double roughness = FirstRoughness;
        for (int step = side; step >= 2; step /= 2)
        {
            int half = step / 2;
            double noise = roughness * roughness;
            Fill(map, side, step, (half, half), [(-half, -half), (-half, half), (half, -half), (half, half)], noise, random);
            Fill(map, side, step, (0, half), [(-half, 0), (half, 0), (0, -half), (0, half)], noise, random);
            Fill(map, side, step, (half, 0), [(-half, 0), (half, 0), (0, -half), (0, half)], noise, random);
            roughness /= decay;
        }

        double least = map.Min();
        double range = map.Max() - least;
        return Array.ConvertAll(map, height => (height - least) / range);
    }

    // Sets every point of a grid, which is the mean of its four neighbours plus noise.
    private static void Fill(
        double[] map, int side, int step, (int Y, int X) first, (int Y, int X)[] neighbours, double noise, RandomStream random)
    {
        int mask = side - 1;
        for (int y = first.Y; y < side; y += step)
        {
            for (int x = first.X; x < side; x += step)
            {
                double sum = 0;
                foreach ((int dy, int dx) in neighbours)
                    sum += map[(((y + dy) & mask) * side) + ((x + dx) & mask)];
                map[(y * side) + x] = (sum / neighbours.Length) + random.Uniform(-noise, noise);
            }
        }
    }
}
