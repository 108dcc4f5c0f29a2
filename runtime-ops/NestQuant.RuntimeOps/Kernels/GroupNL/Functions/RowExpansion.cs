using System.Runtime.CompilerServices;

namespace NestQuant.RuntimeOps.Kernels.GroupNL.Functions;

/// <summary>
/// Expands channels-last pixels one by one: seed values are normalised into the first Cs elements of the output row, maps are generated
/// from these, and the seeds' own scale, bias and activation are applied last.
/// </summary>
internal readonly unsafe struct RowExpansion<TLanes, TVector> : IMapFunctionLoop
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    // The long latencies of a norm (horizontal sum, square root, division) overlap across the rows of a block, which is a multiple
    // of every vector's width.
    private const int BlockRows = 32;

    private readonly ExpansionData _data;
    private readonly float* _x;
    private readonly float* _y;
    private readonly long _xStride;
    private readonly int _rows;
    private readonly MapEpilogue<TLanes, TVector> _epilogue;

    private RowExpansion(ExpansionData data, float* x, long xStride, float* y, int rows)
    {
        _data = data;
        _x = x;
        _xStride = xStride;
        _y = y;
        _rows = rows;
        _epilogue = new MapEpilogue<TLanes, TVector>(data.Activation);
    }

    /// <summary>Expands pixels whose maps are neighbours.</summary>
    public static void Run(ExpansionData data, float* x, long xStride, float* y, int rows) =>
        data.Function.Run(new RowExpansion<TLanes, TVector>(data, x, xStride, y, rows));

    /// <inheritdoc/>
    [MethodImpl(MethodCompilation.Loops)]
    public void Run<TFunction>(TFunction function)
        where TFunction : struct, IMapFunction
    {
        // In bounds: a block has at most BlockRows rows, all of them among the caller's.
        ExpansionData data = _data;
        MapEpilogue<TLanes, TVector> epilogue = _epilogue;
        float* x = _x, y = _y;
        float* inverseNorms = stackalloc float[BlockRows];
        fixed (int* source = data.Sources.Source, runs = data.Sources.Runs)
        {
            for (int first = 0; first < _rows; first += BlockRows)
            {
                int end = Math.Min(BlockRows, _rows - first);
                for (int row = 0; row < end; row++)
                    inverseNorms[row] = TLanes.SumOfSquares(x + row * _xStride, data.Seeds);
                for (int row = 0; row < end; row += TLanes.Count)
                    TLanes.Store(data.InverseNorm<TLanes, TVector>(TLanes.Load(inverseNorms + row)), inverseNorms + row);
                for (int row = 0; row < end; row++, x += _xStride, y += data.Maps)
                {
                    Normalise(x, TLanes.Create(inverseNorms[row]), data.Seeds, y);
                    Generate(function, data, epilogue, source, runs, y);
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
    /// <param name="function">Generates them.</param>
    /// <param name="data">The parameters.</param>
    /// <param name="epilogue">The last step.</param>
    /// <param name="source">See <see cref="SourceMap.Source"/>.</param>
    /// <param name="runs">See <see cref="SourceMap.Runs"/>.</param>
    /// <param name="row">The row; its first places hold the seeds.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Generate<TFunction>(
        TFunction function, ExpansionData data, in MapEpilogue<TLanes, TVector> epilogue, int* source, int* runs, float* row)
        where TFunction : struct, IMapFunction
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
            TVector value = function.Apply<TLanes, TVector>(argument);
            if (data.HasEpilogue)
                value = epilogue.Apply(value, Scales(data, data.Seeds + g), Biases(data, data.Seeds + g));
            TLanes.Store(value, target + g);
        }

        if (g < count)
            GenerateRest(function, data, epilogue, source, row, g);
    }

    private static void GenerateRest<TFunction>(
        TFunction function, ExpansionData data, in MapEpilogue<TLanes, TVector> epilogue, int* source, float* row, int g)
        where TFunction : struct, IMapFunction
    {
        int rest = data.Sources.Count - g;
        TVector n = TLanes.Gather(row, source + g);
        TVector argument = TLanes.Multiply(
            TLanes.Subtract(n, TLanes.LoadPartial(data.Shift + g, rest)), TLanes.LoadPartial(data.Period + g, rest));
        TVector value = function.Apply<TLanes, TVector>(argument);
        if (data.HasEpilogue)
            value = epilogue.Apply(value, Scales(data, data.Seeds + g, rest), Biases(data, data.Seeds + g, rest));
        TLanes.StorePartial(value, row + data.Seeds + g, rest);
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
