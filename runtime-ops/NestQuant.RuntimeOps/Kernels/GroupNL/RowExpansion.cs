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
    /// <summary>See <see cref="KernelTier.ExpandRows"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(ExpansionData data, float* x, long xStride, float* y, int rows)
    {
        MapEpilogue<TLanes, TVector> epilogue = new(data.Activation);
        for (int row = 0; row < rows; row++, x += xStride, y += data.Maps)
        {
            float norm = MathF.Sqrt(TLanes.SumOfSquares(x, data.Seeds));
            TVector norms = TLanes.AtMost(TLanes.AtLeast(TLanes.Create(norm), TLanes.Create(data.Epsilon)), TLanes.Create(ExpansionData.MaxNorm));
            Normalise(x, norms, data.Seeds, y);
            Generate(data, epilogue, y);
            foreach (int g in data.WideMaps)
                GenerateWide(data, epilogue, y, g);
            if (data.ChangesSeeds)
                FinishSeeds(data, epilogue, y);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Normalise(float* x, TVector norms, int seeds, float* y)
    {
        int i = 0;
        for (; i <= seeds - TLanes.Count; i += TLanes.Count)
            TLanes.Store(TLanes.Divide(TLanes.Load(x + i), norms), y + i);
        if (i < seeds)
            TLanes.StorePartial(TLanes.Divide(TLanes.LoadPartial(x + i, seeds - i), norms), y + i, seeds - i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Generate(ExpansionData data, in MapEpilogue<TLanes, TVector> epilogue, float* row)
    {
        // In bounds: a whole vector ends at or before G in every parameter and in the row's G last places; a run of consecutive
        // sources as long as the vector lies inside the seeds; the source list is readable for a vector's width past its last map.
        int count = data.Sources.Count;
        float* target = row + data.Seeds;
        fixed (int* source = data.Sources.Source, runs = data.Sources.Runs)
        {
            int g = 0;
            for (; g <= count - TLanes.Count; g += TLanes.Count)
            {
                TVector n = runs[g] >= TLanes.Count ? TLanes.Load(row + source[g]) : TLanes.Gather(row, source + g);
                TVector argument = TLanes.Multiply(TLanes.Subtract(n, TLanes.Load(data.Shift + g)), TLanes.Load(data.Period + g));
                TVector sine = Sine.Lanes<TLanes, TVector>(argument);
                if (data.HasAffine)
                    sine = TLanes.MultiplyAdd(sine, Scales(data, data.Seeds + g), Biases(data, data.Seeds + g));
                TLanes.Store(epilogue.Activate(sine), target + g);
            }

            if (g < count)
            {
                int rest = count - g;
                TVector n = TLanes.Gather(row, source + g);
                TVector argument = TLanes.Multiply(
                    TLanes.Subtract(n, TLanes.LoadPartial(data.Shift + g, rest)), TLanes.LoadPartial(data.Period + g, rest));
                TVector sine = Sine.Lanes<TLanes, TVector>(argument);
                if (data.HasAffine)
                    sine = TLanes.MultiplyAdd(sine, Scales(data, data.Seeds + g, rest), Biases(data, data.Seeds + g, rest));
                TLanes.StorePartial(epilogue.Activate(sine), target + g, rest);
            }
        }
    }

    private static void GenerateWide(ExpansionData data, in MapEpilogue<TLanes, TVector> epilogue, float* row, int g)
    {
        int map = data.Seeds + g;
        TVector sine = TLanes.Create(data.WideSine(g, row[data.Sources.Source[g]]));
        if (data.HasAffine)
            sine = TLanes.MultiplyAdd(sine, TLanes.Create(data.ScaleOf(map)), TLanes.Create(data.BiasOf(map)));
        TLanes.StorePartial(epilogue.Activate(sine), row + map, 1);
    }

    private static void FinishSeeds(ExpansionData data, in MapEpilogue<TLanes, TVector> epilogue, float* row)
    {
        int i = 0;
        for (; i <= data.Seeds - TLanes.Count; i += TLanes.Count)
            TLanes.Store(epilogue.Apply(TLanes.Load(row + i), Scales(data, i), Biases(data, i)), row + i);
        if (i < data.Seeds)
        {
            int rest = data.Seeds - i;
            TLanes.StorePartial(epilogue.Apply(TLanes.LoadPartial(row + i, rest), Scales(data, i, rest), Biases(data, i, rest)), row + i, rest);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Scales(ExpansionData data, int map) => data.Scale == null ? TLanes.Create(1f) : TLanes.Load(data.Scale + map);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Biases(ExpansionData data, int map) => data.Bias == null ? default : TLanes.Load(data.Bias + map);

    private static TVector Scales(ExpansionData data, int map, int count) =>
        data.Scale == null ? TLanes.Create(1f) : TLanes.LoadPartial(data.Scale + map, count);

    private static TVector Biases(ExpansionData data, int map, int count) => data.Bias == null ? default : TLanes.LoadPartial(data.Bias + map, count);
}
