using System.Runtime.CompilerServices;

namespace NestQuant.RuntimeOps.Kernels.GroupNL;

/// <summary>
/// Expands channels-last pixels one by one: their seed values are normalised where they end up, in the first Cs places of the output's
/// row, generated maps follow from there, and the seeds' own scale, bias and activation come last.
/// </summary>
internal static unsafe class RowExpansion<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    // The long latencies of a norm (horizontal sum, square root, division) overlap across the rows of a block, which is a multiple
    // of every vector's width.
    private const int BlockRows = 32;

    /// <summary>See <see cref="KernelTier.ExpandRows"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(ExpansionData data, float* x, long xStride, float* y, int rows)
    {
        // In bounds: a block has at most BlockRows rows, all of them among the caller's.
        MapEpilogue<TLanes, TVector> epilogue = new(data.Activation);
        float* inverseNorms = stackalloc float[BlockRows];
        fixed (int* source = data.Sources.Source, runs = data.Sources.Runs)
        {
            for (int first = 0; first < rows; first += BlockRows)
            {
                int end = Math.Min(BlockRows, rows - first);
                for (int row = 0; row < end; row++)
                    inverseNorms[row] = TLanes.SumOfSquares(x + row * xStride, data.Seeds);
                for (int row = 0; row < end; row += TLanes.Count)
                    TLanes.Store(data.InverseNorm<TLanes, TVector>(TLanes.Load(inverseNorms + row)), inverseNorms + row);
                for (int row = 0; row < end; row++, x += xStride, y += data.Maps)
                {
                    Normalise(x, TLanes.Create(inverseNorms[row]), data.Seeds, y);
                    Generate(data, epilogue, source, runs, y);
                    foreach (int g in data.WideMaps)
                        GenerateWide(data, epilogue, y, g);
                    if (data.HasEpilogue)
                        FinishSeeds(data, epilogue, y);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Normalise(float* x, TVector inverseNorm, int seeds, float* y)
    {
        int i = 0;
        for (; i <= seeds - TLanes.Count; i += TLanes.Count)
            TLanes.Store(TLanes.Multiply(TLanes.Load(x + i), inverseNorm), y + i);
        if (i < seeds)
            TLanes.StorePartial(TLanes.Multiply(TLanes.LoadPartial(x + i, seeds - i), inverseNorm), y + i, seeds - i);
    }

    /// <summary>Generates one row's maps from its normalised seeds.</summary>
    /// <param name="data">The parameters.</param>
    /// <param name="epilogue">What follows.</param>
    /// <param name="source">See <see cref="SourceMap.Source"/>.</param>
    /// <param name="runs">See <see cref="SourceMap.Runs"/>.</param>
    /// <param name="row">The row; its first places hold the seeds.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Generate(ExpansionData data, in MapEpilogue<TLanes, TVector> epilogue, int* source, int* runs, float* row)
    {
        // In bounds: a whole vector ends at or before G in every parameter and in the row's G last places; a run of consecutive
        // sources as long as the vector lies inside the seeds; the source list is readable for a vector's width past its last map.
        int count = data.Sources.Count;
        float* target = row + data.Seeds;
        int g = 0;
        for (; g <= count - TLanes.Count; g += TLanes.Count)
        {
            TVector n = runs[g] >= TLanes.Count ? TLanes.Load(row + source[g]) : TLanes.Gather(row, source + g);
            TVector argument = TLanes.Multiply(TLanes.Subtract(n, TLanes.Load(data.Shift + g)), TLanes.Load(data.Period + g));
            TVector sine = Sine.Lanes<TLanes, TVector>(argument);
            if (data.HasEpilogue)
                sine = epilogue.Apply(sine, Scales(data, data.Seeds + g), Biases(data, data.Seeds + g));
            TLanes.Store(sine, target + g);
        }

        if (g < count)
            GenerateRest(data, epilogue, source, row, g);
    }

    private static void GenerateRest(ExpansionData data, in MapEpilogue<TLanes, TVector> epilogue, int* source, float* row, int g)
    {
        int rest = data.Sources.Count - g;
        TVector n = TLanes.Gather(row, source + g);
        TVector argument = TLanes.Multiply(
            TLanes.Subtract(n, TLanes.LoadPartial(data.Shift + g, rest)), TLanes.LoadPartial(data.Period + g, rest));
        TVector sine = Sine.Lanes<TLanes, TVector>(argument);
        if (data.HasEpilogue)
            sine = epilogue.Apply(sine, Scales(data, data.Seeds + g, rest), Biases(data, data.Seeds + g, rest));
        TLanes.StorePartial(sine, row + data.Seeds + g, rest);
    }

    private static void GenerateWide(ExpansionData data, in MapEpilogue<TLanes, TVector> epilogue, float* row, int g)
    {
        int map = data.Seeds + g;
        TVector sine = TLanes.Create(data.WideSine(g, row[data.Sources.Source[g]]));
        if (data.HasEpilogue)
            sine = epilogue.Apply(sine, TLanes.Create(data.ScaleOf(map)), TLanes.Create(data.BiasOf(map)));
        TLanes.StorePartial(sine, row + map, 1);
    }

    private static void FinishSeeds(ExpansionData data, in MapEpilogue<TLanes, TVector> epilogue, float* row)
    {
        int i = 0;
        for (; i <= data.Seeds - TLanes.Count; i += TLanes.Count)
            TLanes.Store(epilogue.Apply(TLanes.Load(row + i), Scales(data, i), Biases(data, i)), row + i);
        if (i < data.Seeds)
        {
            int rest = data.Seeds - i;
            TVector n = TLanes.LoadPartial(row + i, rest);
            TLanes.StorePartial(epilogue.Apply(n, Scales(data, i, rest), Biases(data, i, rest)), row + i, rest);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Scales(ExpansionData data, int map) => data.Scale == null ? TLanes.Create(1f) : TLanes.Load(data.Scale + map);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Biases(ExpansionData data, int map) => data.Bias == null ? default : TLanes.Load(data.Bias + map);

    private static TVector Scales(ExpansionData data, int map, int count) =>
        data.Scale == null ? TLanes.Create(1f) : TLanes.LoadPartial(data.Scale + map, count);

    private static TVector Biases(ExpansionData data, int map, int count) =>
        data.Bias == null ? default : TLanes.LoadPartial(data.Bias + map, count);
}
