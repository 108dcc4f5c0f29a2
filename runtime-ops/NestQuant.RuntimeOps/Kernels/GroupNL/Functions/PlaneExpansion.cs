using System.Runtime.CompilerServices;

namespace NestQuant.RuntimeOps.Kernels.GroupNL.Functions;

/// <summary>Expands a block of neighbouring pixels of one NCHW image, map by map.</summary>
/// <remarks>
/// The seed maps are read from memory once, for the norms, and then from the cache; every output is written once. A seed map is normalised
/// by the loop that generates its first map, so that its stores overlap with arithmetic. Further maps normalise it again, by one
/// multiplication with the same result, which needs no buffer.
/// </remarks>
internal readonly unsafe struct PlaneExpansion<TLanes, TVector> : IMapFunctionLoop
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    private readonly ExpansionData _data;
    private readonly float* _x;
    private readonly float* _y;
    private readonly float* _inverseNorms;
    private readonly long _planeStride;
    private readonly int _pixels;

    private PlaneExpansion(ExpansionData data, float* x, float* y, float* inverseNorms, long planeStride, int pixels)
    {
        _data = data;
        _x = x;
        _y = y;
        _inverseNorms = inverseNorms;
        _planeStride = planeStride;
        _pixels = pixels;
    }

    /// <summary>Expands neighbouring pixels of one image, at most <see cref="ExpansionData.MaxPlanePixels"/>.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    public static void Run(ExpansionData data, float* x, float* y, long planeStride, int pixels)
    {
        // In bounds: the buffer holds that many floats at most, a multiple of every vector's width, and pixels is at most that.
        float* inverseNorms = stackalloc float[ExpansionData.MaxPlanePixels];
        PlaneNorms<TLanes, TVector>.Invert(data, x, planeStride, pixels, inverseNorms);
        data.Function.Run(new PlaneExpansion<TLanes, TVector>(data, x, y, inverseNorms, planeStride, pixels));
    }

    /// <inheritdoc/>
    public void Run<TFunction>(TFunction function)
        where TFunction : struct, IMapFunction
    {
        if (_data.HasEpilogue)
            Run(function, new MapEpilogue<TLanes, TVector>(_data.Activation));
        else
            Run(function, default(NoEpilogue<TVector>));
    }

    [MethodImpl(MethodCompilation.Loops)]
    private void Run<TFunction, TEpilogue>(TFunction function, in TEpilogue epilogue)
        where TFunction : struct, IMapFunction
        where TEpilogue : struct, IMapEpilogue<TVector>
    {
        // In the order of the seed maps, so that the generated maps find their seed in the innermost cache.
        ReadOnlySpan<int> generated = _data.Sources.BySource;
        for (int map = 0; map < _data.Seeds; map++)
        {
            bool isSeedWritten = false;
            for (; !generated.IsEmpty && _data.Sources.Source[generated[0]] == map; generated = generated[1..])
            {
                if (_data.IsWide(generated[0]))
                {
                    GenerateWide(epilogue, map, generated[0]);
                    continue;
                }

                Generate(function, epilogue, map, generated[0], !isSeedWritten);
                isSeedWritten = true;
            }

            if (!isSeedWritten)
                Normalise(epilogue, map);
        }
    }

    [MethodImpl(MethodCompilation.Loops)]
    private void Normalise<TEpilogue>(in TEpilogue epilogue, int seed)
        where TEpilogue : struct, IMapEpilogue<TVector>
    {
        float* x = _x + seed * _planeStride, y = _y + seed * _planeStride, inverseNorms = _inverseNorms;
        TVector scale = TLanes.Create(_data.ScaleOf(seed)), bias = TLanes.Create(_data.BiasOf(seed));
        int pixels = _pixels, i = 0;
        for (; i <= pixels - TLanes.Count; i += TLanes.Count)
            TLanes.Store(epilogue.Apply(TLanes.Multiply(TLanes.Load(x + i), TLanes.Load(inverseNorms + i)), scale, bias), y + i);
        if (i < pixels)
        {
            TVector n = TLanes.Multiply(TLanes.LoadPartial(x + i, pixels - i), TLanes.Load(inverseNorms + i));
            TLanes.StorePartial(epilogue.Apply(n, scale, bias), y + i, pixels - i);
        }
    }

    [MethodImpl(MethodCompilation.Loops)]
    private void Generate<TFunction, TEpilogue>(TFunction function, in TEpilogue epilogue, int seed, int g, bool writesSeed)
        where TFunction : struct, IMapFunction
        where TEpilogue : struct, IMapEpilogue<TVector>
    {
        int map = _data.Seeds + g;
        float* x = _x + seed * _planeStride, inverseNorms = _inverseNorms;
        float* y = _y + map * _planeStride, seedTarget = _y + seed * _planeStride;
        TVector shift = TLanes.Create(_data.Shift[g]), period = TLanes.Create(_data.Period[g]);
        TVector scale = TLanes.Create(_data.ScaleOf(map)), bias = TLanes.Create(_data.BiasOf(map));
        TVector seedScale = TLanes.Create(_data.ScaleOf(seed)), seedBias = TLanes.Create(_data.BiasOf(seed));
        int pixels = _pixels, i = 0;
        for (; i <= pixels - TLanes.Count; i += TLanes.Count)
        {
            TVector n = TLanes.Multiply(TLanes.Load(x + i), TLanes.Load(inverseNorms + i));
            if (writesSeed)
                TLanes.Store(epilogue.Apply(n, seedScale, seedBias), seedTarget + i);
            TVector value = function.Apply<TLanes, TVector>(TLanes.Multiply(TLanes.Subtract(n, shift), period));
            TLanes.Store(epilogue.Apply(value, scale, bias), y + i);
        }

        if (i < pixels)
        {
            int rest = pixels - i;
            TVector n = TLanes.Multiply(TLanes.LoadPartial(x + i, rest), TLanes.Load(inverseNorms + i));
            if (writesSeed)
                TLanes.StorePartial(epilogue.Apply(n, seedScale, seedBias), seedTarget + i, rest);
            TVector value = function.Apply<TLanes, TVector>(TLanes.Multiply(TLanes.Subtract(n, shift), period));
            TLanes.StorePartial(epilogue.Apply(value, scale, bias), y + i, rest);
        }
    }

    private void GenerateWide<TEpilogue>(in TEpilogue epilogue, int seed, int g)
        where TEpilogue : struct, IMapEpilogue<TVector>
    {
        int map = _data.Seeds + g;
        float* x = _x + seed * _planeStride, y = _y + map * _planeStride;
        TVector scale = TLanes.Create(_data.ScaleOf(map)), bias = TLanes.Create(_data.BiasOf(map));
        for (int i = 0; i < _pixels; i++)
        {
            TVector sine = TLanes.Create(_data.WideSine(g, x[i] * _inverseNorms[i]));
            TLanes.StorePartial(epilogue.Apply(sine, scale, bias), y + i, 1);
        }
    }
}
